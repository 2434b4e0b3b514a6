"""The least that Flask can do: a constant of the size of a prediction, whatever was asked."""

from typing import Final

from flask import Flask, Response

_ANSWER: Final = (
    b'{"prediction":31.66,"lower":24.24,"upper":39.92,"unit":"minutes","model_version":"1",'
    b'"run_id":"d0dcf2c7631647449b531a049f409594","trip_id":null}'
)


def create_app() -> Flask:
    """An application whose `POST /predict` always answers the same."""
    app = Flask(__name__, static_folder=None)

    @app.post("/predict")
    def predict() -> Response:
        return Response(_ANSWER, mimetype="application/json")

    @app.get("/health")
    def health() -> Response:
        return Response(b"{}", mimetype="application/json")

    return app
