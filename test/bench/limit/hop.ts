/** How long a small message takes from one process to another over a loopback socket. */
import { type ChildProcess, fork } from "node:child_process";
import { once } from "node:events";
import { connect, type Socket } from "node:net";
import { fileURLToPath } from "node:url";
import { median } from "../statistics.ts";

const MESSAGE = Buffer.alloc(100, "x");
const WARM_UP = 500;
const REPEATS = 2_000;

/** Milliseconds one way: half the median round trip of 100 bytes to an echoing process. */
export async function hopMs(): Promise<number> {
  const echo = fork(fileURLToPath(new URL("echoMain.js", import.meta.url)));
  try {
    const socket = await connected(echo);
    const trips = await roundTrips(socket);
    socket.destroy();
    return median(trips) / 2;
  } finally {
    echo.kill();
  }
}

async function connected(echo: ChildProcess): Promise<Socket> {
  const [port] = (await once(echo, "message")) as [number];
  const socket = connect({ port, host: "127.0.0.1", noDelay: true });
  await once(socket, "connect");
  return socket;
}

async function roundTrips(socket: Socket): Promise<number[]> {
  const trips: number[] = [];
  for (let i = 0; i < WARM_UP + REPEATS; i++) {
    const begin = performance.now();
    socket.write(MESSAGE);
    await once(socket, "data");
    if (i >= WARM_UP) trips.push(performance.now() - begin);
  }
  return trips;
}
