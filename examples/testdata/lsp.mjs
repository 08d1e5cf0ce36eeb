// A client of a language server, as an editor in a page is: vscode-ws-jsonrpc over a
// WebSocket. The argument is a URL; what to do comes on standard input, as JSON, and
// what became of it goes to standard output.
import { readFileSync } from "node:fs";
import { createWebSocketConnection, toSocket } from "vscode-ws-jsonrpc";
import WebSocket from "ws";

const { file, languageId, text, at, shutdown } = JSON.parse(readFileSync(0, "utf8"));
const uri = `file://${file}`;
const socket = new WebSocket(process.argv[2]);
const closed = new Promise((resolve) => socket.on("close", (code, reason) => resolve({ code, reason: reason.toString() })));
await new Promise((resolve, reject) => socket.on("open", resolve).on("error", reject));

const log = { error: console.error, warn: console.error, info: console.error, log: console.error };
const server = createWebSocketConnection(toSocket(socket), log);
// What servers ask, such as for settings.
server.onRequest((method, params) => params?.items?.map(() => null) ?? null);
const diagnostic = new Promise((resolve) => server.onNotification("textDocument/publishDiagnostics", (params) => {
  if (params.uri === uri && params.diagnostics.length > 0) resolve(params.diagnostics);
}));
server.listen();

const hello = await server.sendRequest("initialize", {
  processId: null,
  rootUri: null,
  capabilities: { textDocument: { publishDiagnostics: {}, completion: {} } },
});
await server.sendNotification("initialized", {});
await server.sendNotification("textDocument/didOpen", { textDocument: { uri, languageId, version: 1, text } });
const diagnostics = await diagnostic;
const completions = await server.sendRequest("textDocument/completion", { textDocument: { uri }, position: at });
if (shutdown) await server.sendRequest("shutdown");
await server.sendNotification("exit");

console.log(JSON.stringify({
  name: hello.serverInfo?.name ?? "",
  messages: diagnostics.map((d) => d.message),
  lines: diagnostics.map((d) => d.range.start.line),
  labels: (completions.items ?? completions).map((i) => i.label.trim()),
  ...(await closed),
}));
