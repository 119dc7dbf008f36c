/** Socket.IO 4 by hand: Engine.IO packet types are one digit, Socket.IO's the next. */
import { once } from "node:events";
import WebSocket from "ws";
import { EVENT, type LeanClient } from "./lean.ts";

const OPEN = "0";
const PING = "2";
const PONG = "3";
const CONNECT = "40";
const MESSAGE = "42";

const PUBLISH = `${MESSAGE}${JSON.stringify(["publish", EVENT])}`;

export const socketIo: LeanClient = {
  async reader(port, _index, onEvents) {
    const socket = await connect(port, onEvents);
    return { close: () => close(socket) };
  },
  async publisher(port) {
    const socket = await connect(port, () => {});
    return {
      publish: (count) => {
        for (let i = 0; i < count; i++) socket.send(PUBLISH);
      },
      close: () => close(socket),
    };
  },
};

async function connect(port: number, onEvents: (count: number) => void): Promise<WebSocket> {
  const url = `ws://127.0.0.1:${port}/socket.io/?EIO=4&transport=websocket`;
  const socket = new WebSocket(url, { perMessageDeflate: false, skipUTF8Validation: true });
  const connected = once(socket, "connected");
  socket.on("message", (data) => {
    const packet = data.toString();
    if (packet.startsWith(MESSAGE)) onEvents(1);
    else if (packet.startsWith(CONNECT)) socket.emit("connected");
    else if (packet.startsWith(OPEN)) socket.send(CONNECT);
    else if (packet === PING) socket.send(PONG);
  });
  await connected;
  return socket;
}

async function close(socket: WebSocket): Promise<void> {
  socket.close();
  await once(socket, "close");
}
