// FTS5's tokenizers, made safe.
#ifndef PENSTOCK_DRIVERS_SQLITE_ENGINE_TOKENIZERS_H_
#define PENSTOCK_DRIVERS_SQLITE_ENGINE_TOKENIZERS_H_

struct sqlite3;

namespace penstock::sqlite_engine {

// Puts a check in front of the tokenizer `trigram`: SQLite 3.40 ends the process where an
// option of it has no value, in CREATE VIRTUAL TABLE and in the schema of a file. Does
// nothing where SQLite has no FTS5. To be called before an authorizer is installed.
void GuardTokenizers(sqlite3* db);

}  // namespace penstock::sqlite_engine

#endif  // PENSTOCK_DRIVERS_SQLITE_ENGINE_TOKENIZERS_H_
