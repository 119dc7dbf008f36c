/** Acknowledgements in a trace of system calls, and the entries of the log that they tell of. */
import type { Op, SyncOp, WriteOp } from "../../support/strace.ts";

export const isWal = (file: string) => file.endsWith("-wal");
export const seqsIn = (bytes: Buffer) =>
  [...bytes.toString("latin1").matchAll(/"seq":(\d+)[,}]/g)].map(([, seq]) => Number(seq));

/**
 * What left through sockets too early: every answer and every event names the log entry that it tells of, and so does
 * the entry itself where it is written. Between the two there must be a sync that began after that write. (That the log
 * holds no unsynced write at all would be too much: the next commit may be under way.)
 */
export function early(ops: readonly Op[]): string[] {
  const durable = new DurableEntries();
  return ops.flatMap((op, at) => {
    if (op.kind !== "send") {
      if (isWal(op.file)) durable.take(op, at);
      return [];
    }
    const unsafe = seqsIn(op.bytes).filter((seq) => !durable.has(seq));
    return unsafe.length > 0 ? [`told of entries ${unsafe} before they were on disk`] : [];
  });
}

/** Which entries of the log are on disk, as the operations on the write-ahead log pass by. */
class DurableEntries {
  readonly #writtenAt = new Map<number, number>();
  #syncedUpTo = 0;

  take(op: WriteOp | SyncOp, at: number): void {
    if (op.kind === "sync") this.#syncedUpTo = Math.max(this.#syncedUpTo, op.began);
    else for (const seq of seqsIn(op.bytes)) if (!this.#writtenAt.has(seq)) this.#writtenAt.set(seq, at);
  }

  has(seq: number): boolean {
    const at = this.#writtenAt.get(seq);
    return at !== undefined && at < this.#syncedUpTo;
  }
}

/** What the sockets carried of what the clients were told. */
export const sentBy = (ops: readonly Op[]) =>
  Buffer.concat(ops.flatMap((op) => (op.kind === "send" ? [op.bytes] : []))).toString("latin1");
