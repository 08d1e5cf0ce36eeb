#!/usr/bin/env python3
# A server of the Model Context Protocol with one tool. A message is a line.
import json, random, sys

ROLL = {
    "name": "roll",
    "description": "Rolls dice.",
    "inputSchema": {"type": "object", "properties": {"dice": {"type": "integer", "default": 2}}},
}

def answer(method, params):
    if method == "initialize":
        return {"protocolVersion": params["protocolVersion"], "capabilities": {"tools": {}}, "serverInfo": {"name": "dice", "version": "1"}}
    if method == "tools/list":
        return {"tools": [ROLL]}
    if method == "tools/call" and params["name"] == "roll":
        dice = params.get("arguments", {}).get("dice", 2)
        eyes = [random.randint(1, 6) for _ in range(min(dice, 100))]
        return {"content": [{"type": "text", "text": f"{eyes}: {sum(eyes)}"}]}
    return {"ping": {}}[method]

for line in sys.stdin:
    request = json.loads(line)
    if isinstance(request, dict) and "id" in request:  # what has none is a notification
        try:
            outcome = {"result": answer(request["method"], request.get("params", {}))}
        except (AttributeError, KeyError, TypeError) as e:
            outcome = {"error": {"code": -32602, "message": f"cannot do that: {e}"}}
        print(json.dumps({"jsonrpc": "2.0", "id": request["id"], **outcome}), flush=True)
