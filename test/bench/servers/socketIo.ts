/** A socket.io server that passes on what it is sent: see `socketIoMain.ts`. */
import { fileURLToPath } from "node:url";
import { accepts, freePort } from "../../support/ports.ts";
import type { Workplace } from "../os/workplace.ts";
import { launch, type Server } from "./server.ts";

const PROGRAM = fileURLToPath(new URL("socketIoMain.js", import.meta.url));

export async function startSocketIo(workplace: Workplace): Promise<Server> {
  const port = await freePort();
  return launch(workplace, {
    command: process.execPath,
    args: [PROGRAM, String(port)],
    port,
    folder: workplace.folder("socketio"),
    isReady: () => accepts(port),
  });
}
