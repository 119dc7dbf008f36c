/** The program of `socketIo.ts`: every `publish` from one socket is emitted as an `event` to all. */
import { Server } from "socket.io";

const io = new Server(Number(process.argv[2]), { transports: ["websocket"] });
io.engine.on("connection", (raw: { request: unknown }) => {
  raw.request = null; // saves memory, as its documentation advises
});
io.on("connection", (socket) => {
  socket.on("publish", (event: unknown) => io.emit("event", event));
});
