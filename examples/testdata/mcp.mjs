// Clients of an MCP server, with the SDK's own transport over WebSockets. The arguments
// are a URL and how many clients there are. When each has had a whole session they call a
// tool for each line of standard input, and leave at its end. What they have done is said
// on standard output, a line for all.
import { createInterface } from "node:readline";
import { Client } from "@modelcontextprotocol/sdk/client/index.js";
import { WebSocketClientTransport } from "@modelcontextprotocol/sdk/client/websocket.js";
import ws from "ws";

globalThis.WebSocket ??= ws; // Node has one of its own since version 22

const [url, count] = process.argv.slice(2);
const clients = [];
while (clients.length < count) clients.push(await session()); // each starts a server, which is work
console.log("ready", clients.length);
for await (const line of createInterface({ input: process.stdin })) {
  await Promise.all(clients.map((c) => echo(c, line)));
  console.log("echoed", line);
}
await Promise.all(clients.map((c) => new Promise((resolve) => {
  c.onclose = resolve;
  c.close();
})));
console.log("left");

async function session() {
  const client = new Client({ name: "test", version: "1" }, { capabilities: {} });
  client.onerror = (error) => console.error(error);
  await client.connect(new WebSocketClientTransport(new URL(url)));
  const { tools } = await client.listTools();
  expect(tools.some((t) => t.name === "echo"), tools);
  await echo(client, 'Grüße, 世界 🌍\n"again" \u2028 ' + "long ".repeat(20_000));
  const { resources } = await client.listResources();
  const { contents } = await client.readResource({ uri: resources[0].uri });
  expect(contents[0].text || contents[0].blob, contents);
  const { prompts } = await client.listPrompts();
  const { name } = prompts.find((p) => !p.arguments?.some((a) => a.required));
  const { messages } = await client.getPrompt({ name });
  expect(messages.length > 0, messages);
  return client;
}

async function echo(client, message) {
  const { content } = await client.callTool({ name: "echo", arguments: { message } });
  expect(content[0].text.endsWith(message), content);
}

function expect(condition, value) {
  if (!condition) throw new Error(`unexpected: ${JSON.stringify(value).slice(0, 1000)}`);
}
