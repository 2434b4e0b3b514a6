"""How the model does: `GET /monitoring` for people, `/monitoring.json` for programs."""
