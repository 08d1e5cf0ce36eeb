// The bridge that an afternoon makes: node bridge.js PORT [--share | --binary] COMMAND [ARG...]
const { spawn } = require("child_process");
const readline = require("readline");
const { WebSocketServer } = require("ws");

const [port, ...command] = process.argv.slice(2);
const share = command[0] === "--share" && command.shift();
const binary = command[0] === "--binary" && command.shift();
const start = () => spawn(command[0], command.slice(1), { stdio: ["pipe", "pipe", "inherit"] });
const server = new WebSocketServer({ host: "127.0.0.1", port: Number(port) });

// With --share there is one program for all clients.
const shareOne = (child) => {
  readline.createInterface({ input: child.stdout }).on("line", (line) => {
    for (const ws of server.clients) ws.send(line);
  });
  child.on("close", () => server.clients.forEach((ws) => ws.close(1000)));
  child.stdin.on("error", () => {});
  server.on("connection", (ws) => {
    ws.on("error", () => {});
    ws.on("message", (message) => child.stdin.write(message + "\n"));
  });
};

const oneEach = (ws) => {
  const child = start();
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
};

if (share) shareOne(start());
else server.on("connection", oneEach);
