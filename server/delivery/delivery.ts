/**
 * Delivery: every session is brought to the head of the log and kept there.
 *
 * Pushing is only the fast path of reading. On a commit, sessions at the head are handed the new page; all
 * others read: from the tail in memory where it reaches back far enough, from the store where it does not.
 *
 * The seam between catching up and live is one comparison on one thread: a session is live exactly when its
 * cursor has been brought to `head` and nothing was committed since, both known here and nowhere else.
 *
 * The log may lose its beginning while sessions read. Whether a read begins too early is decided by the store in the
 * read itself, so no news of a pruning can come too late; the reader is told that it is lost, never handed a gap.
 */
import { EVERYONE } from "../../shared/addressing.ts";
import { LIMITS } from "../../shared/limits.ts";
import type { Reader } from "../core/view.ts";
import { addressesOf, viewOf } from "../core/view.ts";
import { floorOf } from "../store/floor.ts";
import type { CommitResult, LogEntry, LogSlice, Store } from "../store/store.ts";
import { ofKinds } from "./kinds.ts";
import { makePage } from "./page.ts";
import { PageCache } from "./pageCache.ts";
import { Session, type SessionOptions } from "./session.ts";
import { LogTail } from "./tail.ts";

/** One read of the store stays below this, so that no commit waits long behind it. */
const READ_BYTES = 256 * 1024;

interface DeliveryOptions {
  store: Pick<Store, "log">;
  epoch: string;
  head: number;
  /** Entries up to here are pruned. */
  floor?: number;
  /** Told when a read of the store failed; the session reads again at the next commit. */
  failed: (error: unknown) => void;
}

export class Delivery {
  readonly epoch: string;
  readonly #store: Pick<Store, "log">;
  readonly #failed: (error: unknown) => void;
  readonly #tail: LogTail;
  /** Sessions by the reader whose view they have. */
  readonly #views = new Map<Reader, Set<Session>>();
  /** Readers who listen at an address. */
  readonly #audiences = new Map<string, Set<string>>();
  #head: number;
  /** Where the head was until the last commit. */
  #headBefore: number;
  #floor: number;

  constructor({ store, epoch, head, floor = 0, failed }: DeliveryOptions) {
    this.#store = store;
    this.epoch = epoch;
    this.#head = head;
    this.#headBefore = head;
    this.#floor = floor;
    this.#failed = failed;
    this.#tail = new LogTail(head);
  }

  get head(): number {
    return this.#head;
  }

  /** Entries up to here are pruned. Only ever rises. */
  get floor(): number {
    return this.#floor;
  }

  raiseFloor(floor: number): void {
    this.#floor = Math.max(this.#floor, floor);
  }

  /** Sessions open now. */
  get sessions(): number {
    let count = 0;
    for (const view of this.#views.values()) count += view.size;
    return count;
  }

  /** Opens a session at its cursor and starts to bring it to the head. */
  open(options: SessionOptions): Session {
    const session = new Session(options);
    const view = this.#views.get(session.reader) ?? this.#listen(session.reader);
    this.#views.set(session.reader, view.add(session));
    this.#catchUp(session);
    return session;
  }

  close(session: Session): void {
    session.close();
    const view = this.#views.get(session.reader);
    view?.delete(session);
    if (view?.size === 0) this.#stopListening(session.reader);
  }

  #listen(reader: Reader): Set<Session> {
    for (const address of reader === null ? [] : addressesOf(reader)) {
      const audience = this.#audiences.get(address) ?? new Set();
      this.#audiences.set(address, audience.add(reader as string));
    }
    return new Set();
  }

  #stopListening(reader: Reader): void {
    this.#views.delete(reader);
    for (const address of reader === null ? [] : addressesOf(reader)) {
      const audience = this.#audiences.get(address);
      audience?.delete(reader as string);
      if (audience?.size === 0) this.#audiences.delete(address);
    }
  }

  /** Takes an acknowledgement, and sends what its window now has room for. @returns ids delivered by it. */
  acknowledge(session: Session, seq: number): string[] {
    const delivered = session.unacknowledged.acknowledge(seq);
    this.#catchUp(session);
    return delivered;
  }

  /** Changes what a session is sent. @returns the seq past which that holds. */
  subscribe(
    session: Session,
    { kinds, receives = false }: Pick<SessionOptions, "kinds"> & { receives?: boolean | undefined },
  ): number {
    session.want({ kinds, receives });
    return session.state === "live" ? this.#head : session.readsFrom;
  }

  /** An empty page that tells a session where it stands, also while its window is full. */
  position(session: Session): void {
    this.#catchUp(session);
    if (session.state === "closed") return;
    const upTo = session.state === "live" ? this.#head : session.cursor;
    session.advance(makePage(this.epoch, session.cursor, upTo, []));
  }

  /** Takes what was committed, in order. @returns false when entries before it went by unseen. */
  committed({ entries, head }: Pick<CommitResult, "entries" | "head">): boolean {
    if (head !== this.#head + entries.length) {
      this.#jump(head);
      return false;
    }
    if (entries.length === 0) return true;
    this.#headBefore = this.#head;
    this.#head = head;
    this.#tail.push(entries);
    const everyone = entries.filter((entry) => entry.to === EVERYONE);
    const pages = new PageCache(this.epoch, head);
    if (everyone.length > 0) this.#pushToAll(entries, everyone, pages);
    else this.#pushToNamed(entries, pages);
    return true;
  }

  /** Entries went by unseen (a commit whose answer was lost): everyone reads. */
  #jump(head: number): void {
    const before = this.#head;
    this.#head = head;
    this.#tail.restart(head);
    for (const view of this.#views.values()) {
      for (const session of view) {
        if (session.state === "live") session.fallBehind(before);
        this.#catchUp(session);
      }
    }
  }

  #pushToNamed(entries: readonly LogEntry[], pages: PageCache): void {
    const addressed = this.#byReader(entries);
    for (const [reader, visible] of addressed) this.#pushToView(reader, visible, pages);
    this.#pushToView(null, entries, pages);
  }

  #pushToAll(entries: readonly LogEntry[], everyone: readonly LogEntry[], pages: PageCache): void {
    const addressed = this.#byReader(entries);
    for (const reader of this.#views.keys()) {
      const visible = reader === null ? entries : addressed.has(reader) ? entries.filter(viewOf(reader)) : everyone;
      this.#pushToView(reader, visible, pages);
    }
  }

  /** Entries by the readers who listen at their sender's or recipient's address. */
  #byReader(entries: readonly LogEntry[]): Map<string, LogEntry[]> {
    const addressed = new Map<string, LogEntry[]>();
    for (const entry of entries) {
      this.#note(addressed, entry.from, entry);
      if (entry.to !== entry.from) this.#note(addressed, entry.to, entry);
    }
    return addressed;
  }

  #note(addressed: Map<string, LogEntry[]>, address: string, entry: LogEntry): void {
    for (const reader of this.#audiences.get(address) ?? NOBODY) {
      const noted = addressed.get(reader);
      if (!noted) addressed.set(reader, [entry]);
      else if (noted.at(-1) !== entry) noted.push(entry);
    }
  }

  #pushToView(reader: Reader, visible: readonly LogEntry[], pages: PageCache): void {
    if (visible.length === 0) return;
    for (const session of this.#views.get(reader) ?? []) {
      if (session.state === "live") {
        if (this.#push(session, visible, pages)) continue;
        session.fallBehind(this.#headBefore);
      }
      this.#catchUp(session);
    }
  }

  /** The fast path. @returns false when the session has to read instead. */
  #push(session: Session, visible: readonly LogEntry[], pages: PageCache): boolean {
    const wanted = pages.wanted(session.kinds, visible);
    if (wanted.length === 0) return true;
    if (!session.open || wanted.length > session.pageEvents) return false;
    const page = pages.page(session.cursor, wanted);
    if (page) session.advance(page);
    return page !== undefined;
  }

  /** Sends page after page until the session is live, its window is full, or a read has to be awaited. */
  #catchUp(session: Session): void {
    while (session.canCatchUp) {
      if (session.cursor === this.#head) {
        session.goLive();
      } else if (this.#tail.covers(session.readsFrom)) {
        const slice = this.#tail.slice(session.reader, session.readsFrom, session.pageEvents, LIMITS.page_bytes);
        this.#advance(session, slice);
      } else {
        void this.#read(session);
      }
    }
  }

  async #read(session: Session): Promise<void> {
    session.readBegan();
    try {
      const read = await this.#store.log(session.reader, session.readsFrom, session.pageEvents, READ_BYTES);
      if (session.state === "behind") this.#advance(session, this.#announced(read));
    } catch (error) {
      this.#readFailed(session, error);
      return;
    } finally {
      session.readEnded();
    }
    this.#catchUp(session);
  }

  /** Hands over what was read; where nothing in it is wanted, only the head is worth a page. */
  #advance(session: Session, { entries, upTo }: LogSlice): void {
    const wanted = ofKinds(session.kinds, entries);
    if (wanted.length === 0 && upTo < this.#head) session.scanned(upTo);
    else session.advance(makePage(this.epoch, session.cursor, upTo, wanted));
  }

  #readFailed(session: Session, error: unknown): void {
    const floor = floorOf(error);
    if (floor !== undefined) this.raiseFloor(floor); // the store may know it sooner than the hub
    if (floor === undefined || !session.lost) (session.failed ?? this.#failed)(error);
    else if (session.state !== "closed") {
      this.close(session);
      session.lost();
    }
  }

  /** The part of a read whose commit is known here: the store may see a commit before the news of it arrives. */
  #announced({ entries, upTo }: LogSlice): LogSlice {
    if (upTo <= this.#head) return { entries, upTo };
    return { entries: entries.filter(({ seq }) => seq <= this.#head), upTo: this.#head };
  }
}

const NOBODY: ReadonlySet<string> = new Set();
