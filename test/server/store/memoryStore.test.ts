import { makeIds } from "../../../server/store/ids.ts";
import { MemoryStore } from "../../../server/store/memory/memoryStore.ts";
import { storeConformance } from "./conformance.ts";

storeConformance("MemoryStore", (lease) => new MemoryStore({ lease, newId: makeIds(), random: Math.random }));
