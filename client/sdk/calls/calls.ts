/**
 * Calls from the moment they are made until they are answered, whatever happens to the line meanwhile.
 *
 * A call is *queued* until a line takes it, then *in flight* until it is answered. When its line is lost it is queued
 * again, once; lost a second time, it fails. Repeating is safe because the operation is a read, the same when done
 * twice, or carries a key; of the few that are not, the first loss is the last. There is no timer per call: one fires at
 * the earliest deadline. A call that the hub puts off is queued again when the hub says, as often as there is time for
 * it.
 *
 * A claim that fails although the hub may have carried it out *persists*: it is repeated, unseen, until the hub says which
 * task it brought, to be given back. Its caller could not ask again, as the key was made here.
 *
 * Calls are sent in the order they were made, as far as the window of calls in flight admits them.
 */
import type { OperationName } from "../../../shared/index.ts";
import { ChurnMap } from "../churn.ts";
import { type Clock, sleep } from "../clock.ts";
import type { KeepAlive } from "../connection/keepAlive.ts";
import type { Request, Suspects, Transport } from "../connection/transports/transport.ts";
import { CallTimeout, ConnectionLost, isRetryable, isShuttingDown } from "../errors.ts";
import {
  type Asked,
  type Call,
  claimKeyMadeHere,
  isAskedElsewhere,
  isOnce,
  lostAnswer,
  newCall,
  type OnLate,
} from "./call.ts";
import { InFlightWindow } from "./inFlightWindow.ts";
import { AGAIN_MS } from "./insist.ts";
import { Postponed, pauseAfter } from "./pace.ts";

/** How long reopening a line waits for calls in flight that are not repeated. */
const ONCE_MS = 5_000;

export class Calls {
  readonly #clock: Clock;
  readonly #keepAlive: KeepAlive;
  readonly #onQueued: () => void;
  readonly #onLate: OnLate;
  readonly #open = new ChurnMap<number, Call>();
  #queue: Call[] = [];
  /** Refused because the hub is about to close the line: they wait for that. */
  #parked: Call[] = [];
  readonly #postponed: Postponed<Call>;
  readonly #window = new InFlightWindow();
  #lastId = 0;
  #unanswered = 0;
  #ended: Error | undefined;
  #sweepAt = Number.POSITIVE_INFINITY;
  #cancelSweep: (() => void) | undefined;
  #onIdle: (() => void)[] = [];
  #onRepeatable: (() => void)[] = [];

  /**
   * @param onQueued is called whenever there is something to take.
   * @param onLate is given what the hub says to a claim whose caller was told that it failed.
   */
  constructor(clock: Clock, keepAlive: KeepAlive, onQueued: () => void, onLate: OnLate = () => {}) {
    this.#clock = clock;
    this.#keepAlive = keepAlive;
    this.#onQueued = onQueued;
    this.#onLate = onLate;
    this.#postponed = new Postponed(clock, (due) => {
      this.#queue.push(...due);
      onQueued();
    });
  }

  /**
   * @param timeoutMs for the answer, queueing and repeating included.
   * @param signal ends the waiting; what was sent still counts as in flight, as it does for the hub.
   * @throws HubError, CallTimeout, ConnectionLost, the signal's reason, or what `end` was given.
   */
  call(operation: OperationName, params: object, timeoutMs: number, signal?: AbortSignal): Promise<unknown> {
    if (this.#ended) return Promise.reject(this.#ended);
    if (signal?.aborted) return Promise.reject(signal.reason);
    return new Promise((resolve, reject) => {
      const call = this.#begin({ operation, params, timeoutMs, resolve, reject });
      if (signal) this.#bind(call, signal);
    });
  }

  /** As `call`, but it keeps no process alive, and a lost line fails it. */
  callQuietly(operation: OperationName, params: object, timeoutMs: number): Promise<unknown> {
    if (this.#ended) return Promise.reject(this.#ended);
    return new Promise((resolve, reject) => {
      this.#detach(this.#begin({ operation, params, timeoutMs, resolve, reject }));
    });
  }

  /** How many calls may be in flight at once. */
  set limit(calls: number) {
    this.#window.limit = calls;
  }

  /** The calls to send now; from here on they are in flight on that line. */
  take(via: Transport): readonly Request[] {
    const { admitted, queued } = this.#window.admit(this.#queue);
    this.#queue = queued;
    for (const call of admitted) call.via = via;
    this.#makeRoom(admitted.filter(({ waits }) => waits).length);
    return admitted;
  }

  answered(id: number, result: unknown): void {
    const call = this.#open.get(id);
    if (!call) return;
    this.#settle(call);
    call.resolve(result);
    if (call.persists && !isAskedElsewhere(call, this.#open.values())) this.#onLate(result);
    this.#makeRoom(1);
  }

  failed(id: number, error: Error): void {
    const call = this.#open.get(id);
    if (!call) return;
    const answer = call.mayBeDone ? lostAnswer(call, error) : undefined;
    if (answer) return void this.answered(id, answer);
    if (isShuttingDown(error) && (call.persists || !call.repeated)) this.#park(call);
    else if (!this.#postpone(call, error)) this.#refuse(call, error);
    this.#makeRoom(1);
  }

  /**
   * A line is no more: what was in flight on it is queued again, before everything younger.
   *
   * @param suspects whose one repeat that takes; nobody's when we closed the line ourselves.
   */
  lineLost(via: Transport, suspects: Suspects): void {
    const again: Call[] = [];
    for (const call of this.#open.values()) {
      if (call.via !== via) continue;
      const counts = suspects === "all" || suspects === call.id;
      if (!this.#isRepeated(call, counts)) this.#giveUp(call, ConnectionLost.during(call.operation));
      if (!this.#open.has(call.id)) continue;
      this.#stop(call);
      call.repeated ||= counts;
      call.mayBeDone = true;
      again.push(call);
    }
    if (suspects !== "none") this.#window.shrink();
    this.#queue = [...this.#parked.splice(0), ...again, ...this.#queue];
    if (this.#queue.length > 0) this.#onQueued();
  }

  #isRepeated(call: Call, counts: boolean): boolean {
    if (call.persists) return !isAskedElsewhere(call, this.#open.values());
    return !(isOnce(call) || call.abandoned || (counts && call.repeated));
  }

  /** Fails everything that waits, and every later call. */
  end(error: Error): void {
    this.#ended = error;
    for (const call of [...this.#open.values()]) this.#reject(call, error);
    this.#queue = [];
    this.#cancelSweep?.();
    this.#postponed.clear();
  }

  get anyInFlight(): boolean {
    return !this.#window.isEmpty;
  }

  /** Resolves when every call is answered, except those that let the hub wait. */
  idle(): Promise<void> {
    if (this.#unanswered === 0) return Promise.resolve();
    return new Promise((resolve) => this.#onIdle.push(resolve));
  }

  /** Calls `run` once no call in flight would fail if its line were opened anew: now, soon, or after a while anyway. */
  whenRepeatable(run: () => void): void {
    if (this.#areRepeatable()) run();
    else {
      const answered = new Promise<void>((resolve) => this.#onRepeatable.push(resolve));
      void Promise.race([answered, sleep(this.#clock, ONCE_MS)]).then(run);
    }
  }

  #areRepeatable(): boolean {
    for (const call of this.#open.values()) if (call.via && isOnce(call)) return false;
    return true;
  }

  #makeRoom(calls: number): void {
    this.#window.grow(calls);
    if (calls > 0 && this.#queue.length > 0) this.#onQueued();
  }

  #begin(asked: Asked): Call {
    const call = newCall(++this.#lastId, this.#clock.now(), asked);
    this.#open.set(call.id, call);
    if (!call.waits) this.#unanswered++;
    this.#keepAlive.hold();
    this.#watch(call.deadline);
    this.#queue.push(call);
    this.#onQueued();
    return call;
  }

  #bind(call: Call, signal: AbortSignal): void {
    const abandon = () => {
      this.#detach(call);
      call.reject(signal.reason);
    };
    signal.addEventListener("abort", abandon, { once: true });
    call.unbind = () => signal.removeEventListener("abort", abandon);
  }

  #detach(call: Call): void {
    if (!call.abandoned) this.#keepAlive.release();
    call.abandoned = true;
  }

  #park(call: Call): void {
    this.#stop(call);
    call.repeated = true;
    this.#parked.push(call);
  }

  /** @returns whether it is made again: it is one of those that can be, and there is time for it. */
  #postpone(call: Call, error: Error): boolean {
    const otherwise = call.persists && isRetryable(error) ? AGAIN_MS : Number.POSITIVE_INFINITY;
    const until = this.#clock.now() + (pauseAfter(error) ?? otherwise);
    if (until >= call.deadline) return false;
    this.#stop(call);
    this.#postponed.add(call, until);
    return true;
  }

  /** It is in flight no more. */
  #stop(call: Call): void {
    if (call.via) this.#window.remove(call);
    call.via = undefined;
    if (isOnce(call) && this.#areRepeatable()) for (const resolve of this.#onRepeatable.splice(0)) resolve();
  }

  /** A refusal for now tells nothing of what may have been done before. */
  #refuse(call: Call, error: Error): void {
    if (call.mayBeDone && isRetryable(error)) this.#giveUp(call, error);
    else this.#reject(call, error);
    if (call.persists) this.#postpone(call, error);
  }

  #giveUp(call: Call, error: Error): void {
    const mayBeDone = call.via !== undefined || call.mayBeDone;
    if (mayBeDone && claimKeyMadeHere(call) && !call.persists) this.#persist(call, error);
    else this.#reject(call, error);
  }

  #persist(call: Call, reason: Error): void {
    this.#detach(call);
    call.reject(reason);
    call.persists = true;
    call.deadline = Number.POSITIVE_INFINITY;
    if (call.waits) call.params = { ...call.params, wait_ms: 0 };
  }

  #reject(call: Call, error: Error): void {
    this.#settle(call);
    call.reject(error);
  }

  #settle(call: Call): void {
    call.unbind?.();
    this.#open.delete(call.id);
    this.#stop(call);
    if (!call.abandoned) this.#keepAlive.release();
    if (!call.waits && --this.#unanswered === 0) for (const resolve of this.#onIdle.splice(0)) resolve();
  }

  #watch(deadline: number): void {
    if (deadline >= this.#sweepAt) return;
    this.#cancelSweep?.();
    this.#sweepAt = deadline;
    this.#cancelSweep = this.#clock.after(deadline - this.#clock.now(), () => this.#sweep());
  }

  #sweep(): void {
    this.#sweepAt = Number.POSITIVE_INFINITY;
    const now = this.#clock.now();
    let next = Number.POSITIVE_INFINITY;
    for (const call of this.#open.values()) {
      if (call.deadline > now) next = Math.min(next, call.deadline);
      else this.#giveUp(call, CallTimeout.unanswered(call.operation, call.timeoutMs));
    }
    const isOpen = ({ id }: Call) => this.#open.has(id);
    this.#queue = this.#queue.filter(isOpen);
    this.#parked = this.#parked.filter(isOpen);
    if (next < Number.POSITIVE_INFINITY) this.#watch(next);
    if (this.#queue.length > 0) this.#onQueued();
  }
}
