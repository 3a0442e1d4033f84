#include "drivers/sqlite_engine/tokenizers.h"

#include <sqlite3.h>

namespace penstock::sqlite_engine {
namespace {

constexpr char kTrigram[] = "trigram";

// The tokenizer as FTS5 has registered it.
struct Original {
  fts5_tokenizer methods;
  void* context;
};

// Null: there is no FTS5.
fts5_api* FindApi(sqlite3* db) {
  fts5_api* api = nullptr;
  sqlite3_stmt* statement = nullptr;
  if (sqlite3_prepare_v2(db, "SELECT fts5(?1)", -1, &statement, nullptr) != SQLITE_OK) {
    return nullptr;
  }
  sqlite3_bind_pointer(statement, 1, &api, "fts5_api_ptr", nullptr);
  sqlite3_step(statement);
  sqlite3_finalize(statement);
  return api;
}

// Arguments are pairs of a name and a value.
int Create(void* context, const char** arguments, int count, Fts5Tokenizer** made) {
  const auto* original = static_cast<const Original*>(context);
  if (count % 2 != 0) return SQLITE_ERROR;
  return original->methods.xCreate(original->context, arguments, count, made);
}

}  // namespace

void GuardTokenizers(sqlite3* db) {
  fts5_api* api = FindApi(db);
  if (api == nullptr) return;
  Original original{};
  if (api->xFindTokenizer(api, kTrigram, &original.context, &original.methods) != SQLITE_OK) {
    return;
  }
  fts5_tokenizer guarded = original.methods;
  guarded.xCreate = Create;
  api->xCreateTokenizer(api, kTrigram, new Original(original), &guarded,
                        [](void* kept) { delete static_cast<Original*>(kept); });
}

}  // namespace penstock::sqlite_engine
