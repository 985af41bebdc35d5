import type { Page } from '@playwright/test';

/** What the wasm's memory grows by at a time; it never shrinks. */
const STEP = 64 * 1024;

/** What the same work may need more of the second time, since odds and ends lie differently. */
export const WASM_SLACK = 2 * STEP;

/** Has the page keep hold of the wasm's memory, which shows only to whoever is there when it is made. */
export async function watchWasm(page: Page): Promise<void> {
  await page.addInitScript(() => {
    const make = WebAssembly.instantiateStreaming;
    WebAssembly.instantiateStreaming = async (...all) => {
      const made = await make.apply(WebAssembly, all);
      Object.assign(globalThis, { wasmMemory: made.instance.exports.memory });
      return made;
    };
  });
}

/** How large it is, in bytes. */
export const wasmSize = (page: Page): Promise<number> =>
  page.evaluate(() => (globalThis as unknown as { wasmMemory: WebAssembly.Memory }).wasmMemory.buffer.byteLength);
