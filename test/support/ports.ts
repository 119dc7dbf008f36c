/**
 * Ports of this machine.
 *
 * They lie below those that the system itself gives to whoever asks for any: what a test ends and starts again finds its
 * port as it left it, and no client is connected to itself where a server was. Each process of a run has a slice of its
 * own.
 */
import { once } from "node:events";
import { connect, createServer } from "node:net";

const FIRST = 11_000;
/** How many each process has. */
export const SLICE = 2_000;
const SLICES = 10;

const first = FIRST + SLICE * (Number(process.env.VITEST_POOL_ID ?? 0) % SLICES);
/** Two runs at once hardly begin at the same one. */
let next = Math.floor(Math.random() * SLICE);

/** A port that nobody listens on, and that nobody else is given. @throws Error when there is none. */
export async function freePort(): Promise<number> {
  for (let tries = 0; tries < SLICE; tries++) {
    const port = first + (next++ % SLICE);
    if (await isFree(port)) return port;
  }
  throw new Error(`somebody listens on every port from ${first} to ${first + SLICE - 1}`);
}

async function isFree(port: number): Promise<boolean> {
  const server = createServer().listen(port, "127.0.0.1");
  try {
    await once(server, "listening");
  } catch {
    return false;
  }
  server.close();
  await once(server, "close");
  return true;
}

/** Whether something accepts connections there. */
export async function accepts(port: number): Promise<boolean> {
  const socket = connect(port, "127.0.0.1");
  try {
    await once(socket, "connect");
    return true;
  } catch {
    return false;
  } finally {
    socket.destroy();
  }
}
