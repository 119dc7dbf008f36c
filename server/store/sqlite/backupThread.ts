/** Writes a backup on a thread and a connection of its own: an error of the hub's is posted, any other one thrown. */
import { parentPort, workerData } from "node:worker_threads";
import { HubError } from "../../../shared/errors.ts";
import { type BackupPaths, writeBackup } from "./backup.ts";
import { BetterSqlite } from "./betterSqlite.ts";

const { source, file } = workerData as BackupPaths;
const db = new BetterSqlite(source, { readonly: true });
try {
  await writeBackup(db, file);
} catch (error) {
  if (!(error instanceof HubError)) throw error;
  parentPort?.postMessage(error.toWire());
} finally {
  db.close();
}
