/** Writes a backup on a thread and a connection of its own, and posts why it could not. */
import { parentPort, workerData } from "node:worker_threads";
import { BetterSqlite } from "../betterSqlite.ts";
import { writeBackup } from "../file/backup.ts";
import type { BackupPaths } from "./backupThread.ts";
import { toFailure } from "./wire.ts";

const { source, file } = workerData as BackupPaths;

write().catch((error) => parentPort?.postMessage(toFailure(error)));

async function write(): Promise<void> {
  const db = new BetterSqlite(source, { readonly: true, fileMustExist: true });
  try {
    await writeBackup(db, file);
  } finally {
    db.close();
  }
}
