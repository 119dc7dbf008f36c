/**
 * One socket: JSON-RPC in, answers and pages out.
 *
 * States: fresh (nothing but `hello` is taken), greeted (has a session), closed.
 */

import type { RawData, WebSocket } from "ws";
import { CLOSE } from "../../../shared/closeCodes.ts";
import { parseCursor } from "../../../shared/cursor.ts";
import { HubError, toRpcError } from "../../../shared/errors.ts";
import { ack, type Hello, hello, type RpcId, type Subscribe, subscribe } from "../../../shared/frames.ts";
import { LIMITS } from "../../../shared/limits.ts";
import { isOperation, OPERATION_NAMES, OPERATIONS, type OperationName } from "../../../shared/operations/index.ts";
import { asHubError } from "../../../shared/refusals.ts";
import { didYouMean } from "../../../shared/suggest.ts";
import { validate } from "../../../shared/validate.ts";
import { isActedOn } from "../../delivery/actedOn.ts";
import type { LogPage } from "../../delivery/page.ts";
import type { Session } from "../../delivery/session.ts";
import { answerJson } from "../../hub/answer.ts";
import { connect } from "../../hub/attendance.ts";
import type { Client } from "../../hub/caller/client.ts";
import { Cancellation } from "../../hub/cancellation.ts";
import type { Hub } from "../../hub/hub.ts";
import { perform } from "../../hub/operations/index.ts";
import type { PresenceListener } from "../../presence/listeners.ts";
import type { Report } from "../../report.ts";
import { type FairShare, toServe } from "./fairShare.ts";
import { type Handshake, handshake, WINDOW } from "./handshake.ts";
import { Intake } from "./intake.ts";
import { type Flusher, Outbox, type Urgency } from "./outbox.ts";
import { idOf, requestsIn, validateRequest } from "./request.ts";

export interface ConnectionContext {
  hub: Hub;
  flusher: Flusher;
  fairShare: FairShare;
  report: Report;
}

export class SocketConnection implements PresenceListener {
  readonly socket: WebSocket;
  /** When something was last heard, and when the hub last asked (ms). */
  heardAt: number;
  pingedAt: number;
  readonly #context: ConnectionContext;
  readonly #outbox: Outbox;
  readonly #intake: Intake;
  /** Nobody, until it says hello. */
  #client: Client;
  #session: Session | undefined;
  /** Ends it for presence and for its run. */
  #disconnect: ((goodbye: boolean) => void) | undefined;
  #stopListening: (() => void) | undefined;
  #gone: Cancellation | undefined;
  /** What each request of the present frame counts for. */
  #requestBytes = 0;

  constructor(socket: WebSocket, caller: Pick<Client, "origin" | "socketNumber">, context: ConnectionContext) {
    this.socket = socket;
    this.#client = { ...caller, claude_id: null, run: null };
    this.#context = context;
    this.#outbox = new Outbox(socket, context.flusher);
    this.#intake = new Intake(socket, this.#outbox, context.fairShare, {
      open: (data, isBinary) => this.#open(data, isBinary),
      take: (request) => this.#take(request),
    });
    this.heardAt = context.hub.clock.awake();
    this.pingedAt = this.heardAt;
  }

  get greeted(): boolean {
    return this.#session !== undefined;
  }

  /** Whether the client leaves so much unread that it is told no more of who comes and goes. */
  get isBehind(): boolean {
    return this.#outbox.unsent > LIMITS.page_bytes;
  }

  /** A frame has come. */
  receive(data: RawData, isBinary: boolean): void {
    this.heardAt = this.#context.hub.clock.awake();
    this.#intake.receive(data, isBinary);
  }

  /** Reads a frame: one request, or an array of them. */
  #open(data: RawData, isBinary: boolean): readonly unknown[] {
    try {
      if (isBinary) throw new HubError("invalid_request", "Binary frames are not understood: send JSON as text");
      const requests = requestsIn((data as Buffer).toString());
      this.#requestBytes = (data as Buffer).length / requests.length;
      return requests;
    } catch (error) {
      this.#refuse(null, error);
      return [];
    }
  }

  /** Says where the reader stands and asks whether the line is alive. */
  ping(awake: number): void {
    this.pingedAt = awake;
    if (this.#session) this.#context.hub.delivery.position(this.#session);
    this.socket.ping();
  }

  /** Sends a notification. */
  notify(method: string, params: string): void {
    this.#outbox.push(`{"jsonrpc":"2.0","method":"${method}","params":${params}}`);
  }

  /** The socket has closed. @param goodbye whether its client said so. */
  closed(goodbye: boolean): void {
    this.#intake.stop(); // a hello that still waits would open what nobody closes
    this.#gone?.cancel();
    this.#stopListening?.();
    if (this.#session) this.#context.hub.delivery.close(this.#session);
    this.#disconnect?.(goodbye);
  }

  #take(value: unknown): number {
    let id: RpcId | null = null;
    try {
      id = idOf(value);
      const request = validateRequest(value);
      this.#handle(id, request);
      return toServe(request.method);
    } catch (error) {
      this.#refuse(id, error);
      return 1;
    }
  }

  #handle(id: RpcId | null, { method, params }: { method: string; params?: unknown }): void {
    if (method === "hello") {
      this.#greet(id, validate(hello, params ?? {}));
    } else if (!this.#session) {
      throw new HubError("hello_required", "Say hello first: the first request on a socket is `hello`");
    } else if (method === "ack") {
      this.#acknowledge(this.#session, validate(ack, params ?? {}).cursor);
      this.#answer(id, "{}");
    } else if (method === "subscribe") {
      this.#subscribe(id, this.#session, validate(subscribe, params ?? {}));
    } else if (isOperation(method)) {
      this.#perform(id, method, params ?? {});
    } else {
      const near = didYouMean(method, [...OPERATION_NAMES, "hello", "subscribe", "ack"]);
      throw new HubError("unknown_operation", `Unknown operation: ${method}${near}`);
    }
  }

  #perform(id: RpcId | null, method: OperationName, params: object): void {
    if (this.#intake.requests >= LIMITS.requests_in_flight) {
      throw new HubError("too_many_requests", `${this.#intake.requests} requests are in flight on this socket`);
    }
    if (OPERATIONS[method].repeat === "read") this.#read(id, method, params);
    else this.#write(id, method, params);
  }

  #read(id: RpcId | null, method: OperationName, params: object): void {
    const bytes = this.#requestBytes;
    this.#intake.begin(bytes);
    this.#intake.read("wait_ms" in params, async () => {
      try {
        this.#answer(id, answerJson(await perform(this.#context.hub, method, params, this.#client)));
      } catch (error) {
        this.#refuse(id, error);
      } finally {
        this.#intake.end(bytes);
      }
    });
  }

  /** Answers in the turn in which the events of its commit are told; the outbox decides when that leaves. */
  #write(id: RpcId | null, method: OperationName, params: object): void {
    const bytes = this.#requestBytes;
    const compiles = mayCompile(method, params);
    const performed = perform(this.#context.hub, method, params, this.#client); // or refused, and never under way
    this.#intake.begin(bytes, compiles);
    performed.then(
      (answer) => {
        this.#intake.end(bytes, compiles);
        this.#answer(id, answerJson(answer), urgencyOf(method));
      },
      (error) => {
        this.#intake.end(bytes, compiles);
        this.#refuse(id, error);
      },
    );
  }

  #greet(id: RpcId | null, said: Hello): void {
    if (this.#session) throw new HubError("hello_repeated", "This socket has said hello already");
    const { hub } = this.#context;
    hub.assertOpen();
    const { welcome, start } = handshake(hub, said);
    const { claude_id = null, run = null, about } = said;
    this.#gone = new Cancellation();
    // While this socket lives, so does its run's lease.
    const caller = { claude_id, run, attached: claude_id !== null && run !== null };
    this.#client = { ...this.#client, claude_id, run, about, caller, gone: this.#gone };
    this.#enter(said);
    this.#answer(id, JSON.stringify(welcome));
    const { own, cursor } = start;
    if (welcome.resumed && said.receives && own !== null && run !== null) hub.resumed(own, run, cursor);
    this.#openSession(start, said); // after the answer, so that its first page follows it
  }

  #enter(said: Hello): void {
    const { claude_id, run } = this.#client;
    const { presence = false, client, about } = said;
    this.#listenToPresence(presence);
    if (claude_id === null) return;
    this.#disconnect = connect(this.#context.hub, claude_id, { transport: "websocket", run, client, about });
  }

  #openSession(start: Handshake["start"], { kinds, receives = false }: Hello): void {
    const { claude_id, run } = this.#client;
    const viewer = start.reader === null ? null : claude_id; // whoever is shown everything only looks on
    const send = (page: LogPage) =>
      this.#outbox.push(page, isActedOn(page.entries, viewer) ? "actionable" : "confirmation");
    const pageEvents = LIMITS.page_events;
    const lost = () => this.close(CLOSE.pruned); // whoever comes back with this cursor is told why it cannot be resumed
    const { delivery, runPages } = this.#context.hub;
    this.#session = delivery.open({ ...start, kinds, window: WINDOW, pageEvents, receives, send, lost });
    const { own, unacknowledged } = this.#session;
    if (own !== null && run !== null) runPages.sends(own, run, unacknowledged);
  }

  #subscribe(id: RpcId | null, session: Session, wishes: Subscribe): void {
    const { hub } = this.#context;
    const from = hub.delivery.subscribe(session, wishes);
    this.#listenToPresence(wishes.presence ?? false);
    this.#answer(id, JSON.stringify({ cursor: hub.cursorAt(from) }));
  }

  #listenToPresence(wanted: boolean): void {
    this.#stopListening?.();
    this.#stopListening = wanted ? this.#context.hub.presence.listen(this) : undefined;
  }

  #acknowledge(session: Session, cursor: string): void {
    const { hub } = this.#context;
    const { epoch, seq } = parseCursor(cursor, "cursor");
    const why =
      epoch !== hub.delivery.epoch ? "of another log" : seq > hub.delivery.head ? "ahead of the log" : undefined;
    if (why !== undefined) throw new HubError("invalid_params", `cursor is ${why}`, { field: "cursor" });
    hub.acknowledge(session, seq);
  }

  #answer(id: RpcId | null, result: string, urgency?: Urgency): void {
    if (id !== null) this.#outbox.push(`{"jsonrpc":"2.0","id":${JSON.stringify(id)},"result":${result}}`, urgency);
  }

  #refuse(id: RpcId | null, error: unknown): void {
    const known = asHubError(error);
    if (known.code === "shutting_down") this.#intake.stop();
    if (known.code === "internal") this.#context.report.failed("answering a request", error);
    const body = JSON.stringify(toRpcError(known.toWire()));
    this.#outbox.push(`{"jsonrpc":"2.0","id":${JSON.stringify(id)},"error":${body}}`);
  }

  /** Nothing is heard any more: says so, and a sweep later ends it without an answer. */
  giveUp(): void {
    if (this.socket.readyState === this.socket.OPEN) this.close(CLOSE.silent);
    else this.socket.terminate();
  }

  /** Closes from the hub's side. */
  close({ code, reason }: { code: number; reason: string } = CLOSE.policy): void {
    this.#outbox.flush(); // without waiting for the turn's end
    this.#intake.stop();
    this.socket.close(code, reason);
  }
}

/** A task that was asked for is to be worked on; that something was sent or is over is only good to know. */
const urgencyOf = (method: OperationName): Urgency => (CLAIMS.has(method) ? "actionable" : "confirmation");

/** Whether the schema of a template's parameters may have to be compiled for it. */
const mayCompile = (method: OperationName, params: object): boolean =>
  method === "template_put" || (method === "send" && "template" in params);

/** An update may be a claim, too: the document's. */
const CLAIMS: ReadonlySet<OperationName> = new Set(["claim", "claim_next", "update"]);
