/** The thread of a backup, as the hub's thread calls it. */
import { Worker } from "node:worker_threads";
import { built } from "../built.ts";
import { fromFailure, type ThreadFailure } from "./wire.ts";

export interface BackupPaths {
  /** The database. */
  source: string;
  /** The copy. */
  file: string;
}

/** Has a thread of its own do what `writeBackup` does, so that nothing waits for it. @throws as that. */
export function writeBackupAside(source: string, file: string): Promise<void> {
  const worker = new Worker(built("bin/backupThread.cjs"), { workerData: { source, file } satisfies BackupPaths });
  return new Promise((resolve, reject) => {
    worker.once("message", (failure: ThreadFailure) => reject(fromFailure(failure)));
    worker.once("error", reject);
    worker.once("exit", () => resolve());
  });
}
