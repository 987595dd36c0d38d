#!/bin/sh
# Asks a TensorFlow Serving server over REST:  sh client.sh MODEL [a request's file, by default MODEL.request.json]
# The server is $SERVING_REST_ADDRESS, by default localhost:8501.
set -eu
model=${1:?"usage: sh client.sh MODEL [FILE]"}
request=${2:-"$(dirname "$0")/$model.request.json"}
curl --silent --show-error --fail-with-body --data-binary "@$request" \
    "http://${SERVING_REST_ADDRESS:-localhost:8501}/v1/models/$model:predict"
