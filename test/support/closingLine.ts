import type { Reporter, SerializedError, TestModule } from "vitest/node";

/**
 * Ends a run with one plain line for machines, `N passed, N failed, N skipped`, after a line for each reason
 * to skip. Whatever fails outside a test (a file that does not load, a leak, a stray rejection) counts too.
 */
export class ClosingLine implements Reporter {
  onTestRunEnd(modules: readonly TestModule[], strayErrors: readonly SerializedError[]): void {
    const nothingRan = Number(modules.length === 0); // no test was found, or the build failed
    const count = { passed: 0, failed: strayErrors.length + nothingRan, skipped: 0 };
    const reasons = new Set<string>();
    for (const module of modules) {
      count.failed += errorsOutsideTests(module);
      for (const test of module.children.allTests()) {
        const result = test.result();
        count[result.state === "pending" ? "failed" : result.state] += 1;
        if (result.state === "skipped" && result.note) reasons.add(result.note);
      }
    }
    const skipped = count.skipped > 0 ? `, ${count.skipped} skipped` : "";
    for (const reason of reasons) process.stdout.write(`skipped: ${reason}\n`);
    process.stdout.write(`${count.passed} passed, ${count.failed} failed${skipped}\n`);
  }
}

function errorsOutsideTests(module: TestModule): number {
  let errors = module.errors().length;
  for (const suite of module.children.allSuites()) errors += suite.errors().length;
  return errors;
}
