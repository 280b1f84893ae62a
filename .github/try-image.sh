#!/usr/bin/env bash
# Run an image as a cluster would: "bash .github/try-image.sh IMAGE". It has to become healthy, to find
# nothing wrong with itself, and to end well. Beside an exchange of its own, which needs no network:
# hosts of real ones refuse some countries.
set -euo pipefail

image="$1"
hardened=(--read-only --tmpfs /tmp --tmpfs /data:uid=10001,gid=10001,mode=0700
          --cap-drop ALL --security-opt no-new-privileges)
docker run --detach --name exchange "${hardened[@]}" "$image" \
    milobot exchange --dialect bingx --port 8765
docker run --detach --name tried --network container:exchange "${hardened[@]}" \
    --env API_OPEN=true --env TRADING_ENABLED=true --env BINGX_BASE_URL=http://127.0.0.1:8765 \
    --env BINGX_API_KEY=local-key --env BINGX_SECRET_KEY=local-secret "$image"
for _ in $(seq 30); do
    state="$(docker inspect --format '{{.State.Health.Status}}' tried)"
    if [ "$state" = healthy ]; then break; fi
    sleep 2
done
docker logs tried
test "$state" = healthy
docker exec tried milobot doctor --offline
docker stop --time 20 tried
test "$(docker inspect --format '{{.State.ExitCode}}' tried)" = 0
