/** NATS by hand: lines of text, and after `MSG` so many bytes of payload. */
import { once } from "node:events";
import { connect, type Socket } from "node:net";
import { EVENT, type LeanClient } from "./lean.ts";

const PAYLOAD = JSON.stringify(EVENT);
const PUBLISH = `PUB event ${PAYLOAD.length}\r\n${PAYLOAD}\r\n`;
const HELLO = `CONNECT {"verbose":false}\r\n`;

export const nats: LeanClient = {
  async reader(port, _index, onEvents) {
    const socket = await open(port, `${HELLO}SUB event 1\r\nPING\r\n`, onEvents);
    return { close: () => close(socket) };
  },
  async publisher(port) {
    const socket = await open(port, `${HELLO}PING\r\n`, () => {});
    return { publish: (count) => void socket.write(PUBLISH.repeat(count)), close: () => close(socket) };
  },
};

/** Resolves when the server has answered the PING in `greeting`: everything before it has taken effect. */
async function open(port: number, greeting: string, onEvents: (count: number) => void): Promise<Socket> {
  const socket = connect({ port, host: "127.0.0.1", noDelay: true });
  const ready = once(socket, "ready-for-use");
  const lines = new Lines();
  socket.setEncoding("latin1");
  socket.on("data", (chunk) => {
    let events = 0;
    for (const line of lines.of(String(chunk))) {
      if (line.startsWith("MSG")) events++;
      else if (line === "PING") socket.write("PONG\r\n");
      else if (line === "PONG") socket.emit("ready-for-use");
    }
    if (events > 0) onEvents(events);
  });
  socket.write(greeting);
  await ready;
  return socket;
}

/** Cuts what comes into control lines, and leaves out payloads. */
class Lines {
  #rest = "";

  of(chunk: string): string[] {
    const text = this.#rest + chunk;
    const lines: string[] = [];
    let at = 0;
    while (true) {
      const end = text.indexOf("\r\n", at);
      if (end < 0) break;
      const line = text.slice(at, end);
      const next = end + 2 + payloadBytes(line);
      if (next > text.length) break;
      lines.push(line);
      at = next;
    }
    this.#rest = text.slice(at);
    return lines;
  }
}

const payloadBytes = (line: string) => (line.startsWith("MSG") ? Number(line.slice(line.lastIndexOf(" "))) + 2 : 0);

async function close(socket: Socket): Promise<void> {
  socket.end();
  if (!socket.closed) await once(socket, "close");
}
