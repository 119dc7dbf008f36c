/**
 * A TCP proxy that breaks things on purpose, between a client and a hub that are both real. Faults are looked at
 * for every connection and every chunk, so a test may change them while bytes flow.
 */
import { once } from "node:events";
import { type AddressInfo, connect, createServer, type Server, type Socket } from "node:net";
import { setImmediate, setTimeout } from "node:timers/promises";
import { defer } from "./defer.ts";
import type { Random } from "./random.ts";

interface Faults {
  /** Resets new connections at once, or answers only WebSocket upgrades with 403, as some company proxies do. */
  refuse?: "connections" | "upgrades" | undefined;
  /** Holds every chunk back for so long, in each direction. */
  delayMs?: number | undefined;
  /** Writes at most so many bytes at a time. */
  sliceBytes?: number | undefined;
  /** Cuts each connection after a random number of bytes up to this, counted over both directions. */
  cutWithinBytes?: number | undefined;
}

/** One accepted connection and its other half. */
interface Line {
  client: Socket;
  hub: Socket;
  /** How many bytes it may still carry before it is cut; drawn when its first byte passes under `cutWithinBytes`. */
  budget?: number;
}

const REFUSAL = "HTTP/1.1 403 Forbidden\r\ncontent-length: 0\r\nconnection: close\r\n\r\n";

export class FaultProxy {
  readonly faults: Faults = {};
  /** How many connections came so far, refused ones included. */
  accepted = 0;
  readonly #lines = new Set<Line>();
  readonly #target: { host: string; port: number };
  readonly #random: Random | undefined;
  readonly #server: Server;
  #hole: Gate | undefined;
  /** Whether the hole swallows only what hubs say. */
  #isOneWay = false;

  private constructor(target: { host: string; port: number }, random?: Random) {
    this.#target = target;
    this.#random = random;
    this.#server = createServer({ allowHalfOpen: true, noDelay: true }, (client) => void this.#accept(client));
  }

  /** Listens on a free port of 127.0.0.1; closed when the test ends. `random` decides where cuts fall. */
  static async start(target: { port: number; host?: string }, random?: Random): Promise<FaultProxy> {
    const proxy = new FaultProxy({ host: "127.0.0.1", ...target }, random);
    await once(proxy.#server.listen(0, "127.0.0.1"), "listening");
    defer(() => proxy.close());
    return proxy;
  }

  get port(): number {
    return (this.#server.address() as AddressInfo).port;
  }

  /** How many connections are open. */
  get open(): number {
    return this.#lines.size;
  }

  /** Resets every open connection at once. */
  cut(): void {
    for (const line of this.#lines) this.#reset(line);
  }

  /** Resets the oldest open connection. @returns whether there was one. */
  cutOne(): boolean {
    const [oldest] = this.#lines;
    if (oldest) this.#reset(oldest);
    return oldest !== undefined;
  }

  /** Says something to every client in the hub's place. */
  say(bytes: Buffer): void {
    for (const { client } of this.#lines) client.write(bytes);
  }

  /** Stops forwarding, also the news that a side has closed, while connections stay open and new ones are taken. */
  blackHole(): void {
    this.#hole ??= new Gate();
  }

  /** Stops forwarding what the hub says, while clients are heard. */
  holdAnswers(): void {
    this.blackHole();
    this.#isOneWay = true;
  }

  /** Forwards again, beginning with what was held back. */
  resume(): void {
    this.#hole?.open();
    this.#hole = undefined;
    this.#isOneWay = false;
  }

  async close(): Promise<void> {
    this.cut();
    this.resume();
    if (!this.#server.listening) return;
    await once(this.#server.close(), "close");
  }

  async #accept(client: Socket): Promise<void> {
    this.accepted += 1;
    client.on("error", ignore);
    if (this.faults.refuse === "connections") return void client.resetAndDestroy();
    if (this.faults.refuse === "upgrades" && (await asksForUpgrade(client))) {
      return void client.resume().end(REFUSAL, () => client.destroy());
    }
    const hub = connect({ ...this.#target, allowHalfOpen: true, noDelay: true }).on("error", ignore);
    const line = { client, hub };
    this.#lines.add(line);
    await Promise.all([this.#forward(line, client, hub), this.#forward(line, hub, client)]);
    this.#lines.delete(line);
  }

  async #forward(line: Line, from: Socket, to: Socket): Promise<void> {
    try {
      for await (const chunk of from.iterator({ destroyOnReturn: false })) await this.#pass(line, chunk, to);
      await this.#hole?.opened;
      to.end();
    } catch {
      await this.#hole?.opened;
      this.#reset(line);
    }
  }

  async #pass(line: Line, chunk: Buffer, to: Socket): Promise<void> {
    const { delayMs, sliceBytes = chunk.length } = this.faults;
    if (delayMs) await setTimeout(delayMs);
    for (let at = 0; at < chunk.length; at += sliceBytes) {
      if (!this.#isOneWay || to === line.client) await this.#hole?.opened;
      const slice = chunk.subarray(at, at + sliceBytes);
      const allowed = this.#spend(line, slice.length);
      await write(to, slice.subarray(0, allowed));
      if (allowed < slice.length) throw new Error("cut");
      if (sliceBytes < chunk.length) await setImmediate(); // else the system joins the slices again
    }
  }

  /** Takes bytes from what the line may still carry. @returns how many of them may pass. */
  #spend(line: Line, bytes: number): number {
    const { cutWithinBytes } = this.faults;
    if (cutWithinBytes === undefined) return bytes;
    if (!this.#random) throw new Error("cutWithinBytes needs the proxy to be started with a Random");
    line.budget ??= this.#random.int(cutWithinBytes);
    const allowed = Math.min(line.budget, bytes);
    line.budget -= allowed;
    return allowed;
  }

  #reset(line: Line): void {
    this.#lines.delete(line);
    reset(line.client);
    reset(line.hub);
  }
}

/** A socket that has begun to end cannot be reset: Node would never close it. */
function reset(socket: Socket): void {
  if (socket.writableEnded) socket.destroy();
  else socket.resetAndDestroy();
}

/** Something that can be waited for until it opens. */
class Gate {
  open!: () => void;
  readonly opened = new Promise<void>((resolve) => {
    this.open = resolve;
  });
}

const ignore = () => undefined; // a broken connection shows itself where it is read or written

/** Looks at the head of a client's first request and puts it back. */
async function asksForUpgrade(client: Socket): Promise<boolean> {
  let head = Buffer.alloc(0);
  while (!head.includes("\r\n\r\n") && !client.readableEnded && !client.destroyed) {
    await Promise.race([once(client, "readable"), once(client, "close")]).catch(ignore);
    head = Buffer.concat([head, client.read() ?? Buffer.alloc(0)]);
  }
  client.unshift(head);
  return /^upgrade: *websocket/im.test(head.toString("latin1"));
}

const write = (to: Socket, bytes: Buffer) =>
  new Promise<void>((resolve, reject) => {
    to.write(bytes, (error) => (error ? reject(error) : resolve()));
  });
