// Puts people with the ids 1 to NUMBER into a new database. They have no password: their tokens are signed by the caller.
//
// node seed.js DATABASE NUMBER
import { INSERT_USER, open } from "./database.js";

const [path, count] = process.argv.slice(2);
if (!path || !(Number(count) > 0)) {
  console.error("usage: node seed.js DATABASE NUMBER");
  process.exit(2);
}

const database = open(path);
const insert = database.prepare(INSERT_USER);
database.transaction(() => {
  for (let person = 0; person < Number(count); person++) {
    insert.run(`person${String(person).padStart(5, "0")}`, "!");
  }
})();
database.close();
