/** The conformance suite over a real file, through the database's own thread. */
import { join } from "node:path";
import { SqliteStore } from "../../../../server/store/sqlite/sqliteStore.ts";
import { tempDir } from "../../../support/tempDir.ts";
import { storeConformance } from "../conformance.ts";

storeConformance(
  "SqliteStore",
  (lease, file = join(tempDir(), "hub.db"), bounds) => new SqliteStore({ file, lease, bounds }),
);
