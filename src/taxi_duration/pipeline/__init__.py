"""The pipeline: one function a Mage block, references in and references out."""
