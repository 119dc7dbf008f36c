/** Writes the documents of the contract into docs/: `npm run docs`. */
import { mkdirSync, writeFileSync } from "node:fs";
import { repository } from "../support/repository.ts";
import { documents } from "./documents.ts";

mkdirSync(`${repository}docs`, { recursive: true });
for (const [name, content] of Object.entries(documents())) {
  writeFileSync(`${repository}docs/${name}`, content);
  process.stdout.write(`docs/${name}\n`);
}
