import { once } from "node:events";
import { type AddressInfo, connect as connectTcp, createServer, type Socket } from "node:net";
import { defer } from "../../../support/defer.ts";
import { through } from "../support.ts";

/** A proxy that lets sockets pass, refuses them, or opens them and lets nothing else pass; and refuses or holds back other requests. */
export class Gate {
  url = "";
  sockets: "refused" | "silent" | "open" = "refused";
  passes: "all" | "none" | "later" = "all";
  readonly #connections = new Set<Socket>();
  #release = () => {};
  readonly #released = new Promise<void>((resolve) => {
    this.#release = resolve;
  });
  #onHeld = () => {};
  /** A request is held back. */
  readonly held = new Promise<void>((resolve) => {
    this.#onHeld = resolve;
  });

  static async start(hubPort: number): Promise<Gate> {
    const gate = new Gate();
    const server = createServer((client) => gate.#connect(client, hubPort));
    await once(server.listen(0, "127.0.0.1"), "listening");
    defer(() => server.close());
    defer(() => gate.cut());
    gate.url = through({ port: (server.address() as AddressInfo).port });
    return gate;
  }

  cut(): void {
    for (const connection of this.#connections) connection.destroy();
  }

  release(): void {
    this.passes = "all";
    this.#release();
  }

  #connect(client: Socket, hubPort: number): void {
    this.#connections.add(client.on("error", () => {}));
    client.once("data", async (head) => {
      const isSocket = /^upgrade: *websocket/im.test(head.toString("latin1"));
      if (isSocket ? this.sockets === "refused" : this.passes === "none") return client.destroy();
      if (!isSocket && this.passes === "later") {
        this.#onHeld();
        await this.#released;
      }
      const hub = connectTcp(hubPort, "127.0.0.1").on("error", () => {});
      hub.write(head);
      hub.pipe(client);
      if (isSocket && this.sockets === "silent") client.resume();
      else client.pipe(hub);
      client.on("close", () => hub.destroy());
    });
  }
}
