// What the examples in the comments of the public headers take for granted. They are compiled and
// not run, so nothing here is defined.
#ifndef PENSTOCK_TESTS_EXAMPLES_PRELUDE_H_
#define PENSTOCK_TESTS_EXAMPLES_PRELUDE_H_

#include <coroutine>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "penstock/mocks.h"
#include "penstock/penstock.h"
#include "penstock/sql.h"

// Names that examples declare themselves stand before those here, and most are used for nothing.
#pragma GCC diagnostic ignored "-Wshadow"
#pragma GCC diagnostic ignored "-Wunused-variable"
#pragma GCC diagnostic ignored "-Wunused-but-set-variable"
#pragma GCC diagnostic ignored "-Wunused-function"

enum class State { kNew, kPaid };

namespace penstock::examples {

using ::testing::_;
using ::testing::ElementsAre;
using ::testing::Return;

struct User {
  int64_t id;
  std::string name;
};
using Person = User;

template <sql::Name As = "users">
struct UsersTable : sql::Table<UsersTable<As>, "users", As> {
  sql::Col<UsersTable, int64_t, "id"> id;
  sql::Col<UsersTable, std::string, "name"> name;
  sql::Col<UsersTable, std::optional<int64_t>, "age"> age;
  sql::Col<UsersTable, std::optional<int64_t>, "boss_id"> boss_id;
};
inline constexpr UsersTable<> users;
inline constexpr UsersTable<"m"> boss;

struct ItemsTable : sql::Table<ItemsTable, "items"> {
  sql::Col<ItemsTable, std::optional<Json>, "attributes"> attributes;
};
inline constexpr ItemsTable items;

extern Context ctx;
extern Provider* db;
extern std::unique_ptr<KeyValue> kv;
extern std::unique_ptr<Rows> rows;
extern absl::StatusOr<Result> result;
extern std::vector<Person> people;

// A coroutine.
struct Task {
  struct promise_type {
    Task get_return_object();
    std::suspend_never initial_suspend();
    std::suspend_never final_suspend() noexcept;
    void return_void();
    void unhandled_exception();
  };
};
void Schedule(absl::AnyInvocable<void()> task);
void WaitForCtrlC();
template <typename... T>
void Use(const T&...);

}  // namespace penstock::examples

#endif  // PENSTOCK_TESTS_EXAMPLES_PRELUDE_H_
