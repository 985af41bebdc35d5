// Group commit: messages that arrive while a group is being written share the next transaction.
import { Worker } from "node:worker_threads";

export class Commits {
  #writer;
  #waiting = [];
  #writing = null;

  constructor(path) {
    this.#writer = new Worker(new URL("./writer.js", import.meta.url), { workerData: path });
    this.#writer.on("message", (ids) => this.#committed(ids));
    // Without its writer the server can store nothing: it ends.
    this.#writer.on("error", (error) => {
      throw error;
    });
  }

  // Stores the values of one message; `done` gets its id once it is on disk. In the order of the calls.
  store(values, done) {
    this.#waiting.push({ values, done });
    if (!this.#writing) this.#next();
  }

  #next() {
    this.#writing = this.#waiting;
    this.#waiting = [];
    this.#writer.postMessage(this.#writing.map((message) => message.values));
  }

  #committed(ids) {
    const committed = this.#writing;
    this.#writing = null;
    // The next group is written while this one is delivered.
    if (this.#waiting.length > 0) this.#next();
    committed.forEach((message, index) => message.done(ids[index]));
  }
}
