/** A hub inside an Express app that has other things to do. */
import { once } from "node:events";
import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import express, { type Express } from "express";
import { type CreateHubOptions, createHub, type MountedHub } from "../../../server/index.ts";
import { defer } from "../../support/defer.ts";
import { tempDir } from "../../support/tempDir.ts";

interface Mounted {
  hub: MountedHub;
  server: Server;
  port: number;
  origin: string;
  wsUrl: string;
}

/**
 * Mounts a hub; it is closed, and its app's server with it, when the test ends.
 *
 * @param prepare what the app does before the hub has its turn.
 */
export async function mount(
  options: CreateHubOptions = {},
  prepare: (app: Express, hub: MountedHub) => void = () => {},
): Promise<Mounted> {
  const hub = await createHub({ db: `${tempDir()}/hub.db`, ...options });
  const app = express();
  prepare(app, hub);
  app.get("/", (_request, response) => void response.send("the app's own page"));
  app.use("/api/coord", hub.router);
  app.get("/api/other", (_request, response) => void response.json({ own: true }));
  const server = createServer(app).listen(0, "127.0.0.1");
  defer(async () => {
    await hub.close();
    server.closeAllConnections();
    if (server.listening) await once(server.close(), "close");
  });
  await once(server, "listening");
  hub.attach(server);
  const { port } = server.address() as AddressInfo;
  return { hub, server, port, origin: `http://127.0.0.1:${port}`, wsUrl: `ws://127.0.0.1:${port}/api/coord/ws` };
}
