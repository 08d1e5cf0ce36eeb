// The bridge that an afternoon makes: node bridge.js PORT [--binary] COMMAND [ARG...]
const { spawn } = require("child_process");
const readline = require("readline");
const { WebSocketServer } = require("ws");

const [port, ...command] = process.argv.slice(2);
const binary = command[0] === "--binary" && command.shift();

new WebSocketServer({ host: "127.0.0.1", port: Number(port) }).on("connection", (ws) => {
  const child = spawn(command[0], command.slice(1), { stdio: ["pipe", "pipe", "inherit"] });
  child.on("error", () => ws.close(1011));
  child.on("close", () => ws.close(1000));
  child.stdin.on("error", () => {});
  ws.on("error", () => {});
  ws.on("close", () => child.kill());
  ws.on("message", (message) => {
    if (!child.stdin.write(binary ? message : message + "\n")) ws.pause();
  });
  child.stdin.on("drain", () => ws.resume());
  const send = (message) => {
    ws.send(message, () => ws.bufferedAmount > 1 << 20 || child.stdout.resume());
    if (ws.bufferedAmount > 1 << 20) child.stdout.pause();
  };
  if (binary) child.stdout.on("data", send);
  else readline.createInterface({ input: child.stdout }).on("line", send);
});
