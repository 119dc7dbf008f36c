import { fork } from "node:child_process";
import { once } from "node:events";
import type { Readable } from "node:stream";
import { text as readText } from "node:stream/consumers";
import { DEFAULT_DB } from "../../../shared/index.ts";
import { command } from "../parsing/command.ts";
import { type Input, text } from "../parsing/inputs.ts";
import { builtProgram } from "../process/builtProgram.ts";
import { Failed } from "../process/errors.ts";

const file: Input<string> = { usage: "<file>", help: "The file to write, which must not exist yet." };

export const backup = command({
  name: "backup",
  summary: "Write a verified copy of the database, whether a hub is running on it or not.",
  isLocal: true,
  about: "To restore it: stop the hub, remove DB-wal and DB-shm if they are there, copy FILE over DB, start the hub.",
  inputs: {
    file,
    db: text("--db <file>", `The database (COORDINATION_DB, else ${DEFAULT_DB}).`),
  },
  examples: [
    ["backup coordination-today.db", "of the default database"],
    ["backup /backups/today.db --db /var/lib/coord.db", "of another"],
  ],
  async run({ print, outside }, { file, db = outside.env.COORDINATION_DB || DEFAULT_DB }) {
    await writeBackup(db, file);
    print.result({ file, db }, (written) => `${written.file} is a verified copy of ${written.db}`);
  },
});

/** @throws Failed with the sentence that the writing process ended with. */
async function writeBackup(db: string, file: string): Promise<void> {
  const child = fork(builtProgram("backup.mjs"), [db, file], { stdio: ["ignore", "ignore", "pipe", "ipc"] });
  const [said, [code]] = await Promise.all([readText(child.stderr as Readable), once(child, "exit")]);
  if (code !== 0) throw new Failed(said.trim() || "the backup was not finished");
}
