/** Upgrades to WebSocket, the care of every open socket, and their orderly end. */

import type { IncomingMessage, Server } from "node:http";
import type { Duplex } from "node:stream";
import { WebSocketServer } from "ws";
import { CLOSE } from "../../../shared/closeCodes.ts";
import { LIVENESS } from "../../../shared/defaults.ts";
import { ERRORS, HubError, toRestError } from "../../../shared/errors.ts";
import { SUBPROTOCOL } from "../../../shared/frames.ts";
import { LIMITS } from "../../../shared/limits.ts";
import { every } from "../../clock.ts";
import { type Origin, originOf } from "../../hub/caller/origin.ts";
import type { Hub } from "../../hub/hub.ts";
import type { Report } from "../../report.ts";
import type { Guard } from "../guard.ts";
import { type ConnectionContext, SocketConnection } from "./connection.ts";
import { FairShare } from "./fairShare.ts";
import { Flusher } from "./outbox.ts";

const SWEEP_MS = 1_000;
/** How long clients have to say goodbye before their sockets are ended. */
const FAREWELL_MS = 1_000;
const UNREAD_PONGS_BYTES = 64 * 1024;

interface SocketServerOptions {
  hub: Hub;
  guard: Guard;
  /** Where sockets are taken: other upgrades are left to others. */
  path: string;
  report: Report;
}

export class SocketServer {
  readonly #hub: Hub;
  readonly #guard: Guard;
  readonly #path: string;
  readonly #context: ConnectionContext;
  readonly #connections = new Set<SocketConnection>();
  readonly #sockets: WebSocketServer;
  /** How many sockets were opened so far. */
  #opened = 0;
  readonly #stopSweeping: () => void;

  constructor({ hub, guard, path, report }: SocketServerOptions) {
    this.#hub = hub;
    this.#guard = guard;
    this.#path = path;
    this.#context = { hub, flusher: new Flusher(), fairShare: new FairShare(), report };
    this.#sockets = new WebSocketServer({
      noServer: true,
      clientTracking: false,
      perMessageDeflate: false,
      maxPayload: LIMITS.frame_bytes,
      maxFragments: LIMITS.frame_fragments,
      autoPong: false,
      handleProtocols: (offered) => (offered.has(SUBPROTOCOL) ? SUBPROTOCOL : false),
    });
    this.#stopSweeping = every(hub.clock, SWEEP_MS, () => this.#sweep());
  }

  get connections(): number {
    return this.#connections.size;
  }

  /**
   * Takes upgrades of a server.
   *
   * @returns a function that stops taking them.
   * @throws Error when a hub takes those at this path already.
   */
  attach(server: Server): () => void {
    const paths = pathsTakenOf(server);
    if (paths.has(this.#path)) throw pathIsTaken(this.#path);
    const upgrade = (request: IncomingMessage, socket: Duplex, head: Buffer) => {
      const path = request.url?.split("?")[0] as string;
      if (path === this.#path) return this.#upgrade(request, socket, head);
      const [refuses] = paths; // one hub answers for all where no application listens, too
      const isNobodys = !paths.has(path) && server.listenerCount("upgrade") === paths.size;
      if (isNobodys && refuses === this.#path) refuseUpgrade(socket, noSuchSocket(paths));
    };
    paths.add(this.#path);
    server.on("upgrade", upgrade);
    return () => {
      paths.delete(this.#path);
      server.off("upgrade", upgrade);
    };
  }

  /** Tells every client to come back within `spreadMs`, and closes. @returns when the last socket is closed. */
  async close(spreadMs: number): Promise<void> {
    this.#stopSweeping();
    const { code, reason } = CLOSE.restarting;
    const closing = JSON.stringify({ code, reason, reconnect_within_ms: spreadMs });
    const closed = [...this.#connections].map(({ socket }) => new Promise((resolve) => socket.once("close", resolve)));
    for (const connection of this.#connections) {
      connection.notify("closing", closing);
      connection.close(CLOSE.restarting);
    }
    const cancelTerminate = this.#hub.clock.after(FAREWELL_MS, () => this.#terminate());
    await Promise.all(closed);
    cancelTerminate();
  }

  /** Ends what is still open, without ceremony. */
  #terminate(): void {
    for (const { socket } of this.#connections) socket.terminate();
  }

  #upgrade(request: IncomingMessage, socket: Duplex, head: Buffer): void {
    try {
      this.#hub.assertOpen();
      this.#guard.check(request);
      assertSubprotocol(request);
    } catch (error) {
      refuseUpgrade(socket, error as HubError);
      return;
    }
    this.#sockets.handleUpgrade(request, socket, head, (opened) => this.#welcome(opened, originOf(request.socket)));
  }

  #welcome(socket: SocketConnection["socket"], origin: Origin): void {
    const socketNumber = ++this.#opened;
    const connection = new SocketConnection(socket, { origin, socketNumber }, this.#context);
    this.#connections.add(connection);
    socket.on("message", (data, isBinary) => connection.receive(data, isBinary));
    socket.on("ping", (data) => {
      if (socket.bufferedAmount < UNREAD_PONGS_BYTES) socket.pong(data); // whoever does not read them gets no more
    });
    socket.on("pong", () => {
      connection.heardAt = this.#hub.clock.awake();
    });
    socket.on("error", () => {}); // a violation of the protocol: ws itself closes, with the code that says which
    socket.on("close", (code) => {
      this.#connections.delete(connection);
      connection.closed(code === CLOSE.goodbye.code);
    });
  }

  /** One sweep for all, not a timer each. */
  #sweep(): void {
    const awake = this.#hub.clock.awake();
    for (const connection of this.#connections) this.#look(connection, awake);
  }

  #look(connection: SocketConnection, awake: number): void {
    const sinceMs = awake - connection.pingedAt;
    if (!connection.greeted) {
      if (sinceMs >= LIVENESS.hello_ms) connection.close(CLOSE.noHello);
    } else if (connection.heardAt < connection.pingedAt) {
      if (sinceMs >= LIVENESS.pong_ms) connection.giveUp();
    } else if (sinceMs >= this.#hub.liveness.pingMs) {
      connection.ping(awake);
    }
  }
}

/** A client that names protocols must name ours; one that names none is taken at its word. */
function assertSubprotocol({ headers }: IncomingMessage): void {
  const offered = headers["sec-websocket-protocol"];
  if (offered === undefined || offered.split(",").some((name) => name.trim() === SUBPROTOCOL)) return;
  throw new HubError("invalid_request", `This hub speaks ${SUBPROTOCOL}, not ${offered}`);
}

/** The paths at which hubs take the upgrades of a server; each has a listener of its own. */
const pathsTaken = new WeakMap<Server, Set<string>>();

function pathsTakenOf(server: Server): Set<string> {
  const paths = pathsTaken.get(server) ?? new Set();
  pathsTaken.set(server, paths);
  return paths;
}

const pathIsTaken = (path: string) =>
  new Error(`a hub takes the sockets at ${path} of this server already: another one needs a socketPath of its own`);

const noSuchSocket = (paths: ReadonlySet<string>) =>
  new HubError("unknown_operation", `There is no socket here: look at ${[...paths].join(", ")}`);

/** Node has let go of the socket by now: its errors and its end are ours to look after. */
function refuseUpgrade(socket: Duplex, error: HubError): void {
  socket.on("error", () => {}).once("finish", () => socket.destroy());
  const { http } = ERRORS[error.code];
  const body = JSON.stringify(toRestError(error.toWire()));
  socket.end(
    `HTTP/1.1 ${http} Refused\r\nConnection: close\r\nContent-Type: application/json\r\n` +
      `Content-Length: ${Buffer.byteLength(body)}\r\n\r\n${body}`,
  );
}
