#!/usr/bin/env python3
"""Registers a peer, announces a file, says that it lives, shows who has the file, and leaves.

Usage: share-a-file.py TRACKER KEY FILE
"""

import hashlib
import json
import sys
import urllib.request
import uuid

CHUNK = 256 * 1024
tracker, key, path = sys.argv[1:]
peer_id = str(uuid.uuid4())


def call(method, route, body=None):
    request = urllib.request.Request(
        f"{tracker}/api/{route}",
        method=method,
        data=None if body is None else json.dumps(body).encode(),
        headers={"X-API-Key": key, "Content-Type": "application/json"},
    )
    with urllib.request.urlopen(request, timeout=30) as response:
        return json.load(response)


def merkle_root(level):
    while len(level) > 1:
        level = [hashlib.sha256(level[i] + level[min(i + 1, len(level) - 1)]).digest() for i in range(0, len(level), 2)]
    return level[0].hex()


whole, digests, sizes = hashlib.sha256(), [], []
with open(path, "rb") as file:
    while chunk := file.read(CHUNK):
        whole.update(chunk)
        digests.append(hashlib.sha256(chunk).digest())
        sizes.append(len(chunk))

file_hash = whole.hexdigest()
print(call("POST", "peers/register", {"peer_id": peer_id, "ip": "", "port": 6881})["message"])
announced = {
    "name": path.rsplit("/", 1)[-1],
    "size": sum(sizes),
    "hash": file_hash,
    "chunk_size": CHUNK,
    "chunks": [{"index": i, "hash": digest.hex(), "size": sizes[i]} for i, digest in enumerate(digests)],
}
if digests:
    announced["merkle_root"] = merkle_root(digests)
print(call("POST", "files/announce", {"peer_id": peer_id, "file": announced})["message"])
print("next heartbeat in", call("POST", "peers/heartbeat", {"peer_id": peer_id, "files_hashes": [file_hash]})["next_heartbeat_in"], "s")
found = call("GET", f"files/{file_hash}/peers")
print(found["file_name"], "in", found["chunk_count"], "chunks at", *(f"{peer['ip']}:{peer['port']}" for peer in found["peers"]))
print(call("GET", f"files/{file_hash}/magnet")["magnet"])
call("DELETE", f"peers/{peer_id}")
print("left")
