// Keys and values in a daemon that is killed, on the drivers that keep them
// themselves.
#include <signal.h>

#include <atomic>
#include <fstream>
#include <map>
#include <random>
#include <thread>
#include <vector>

#include "fmt/format.h"
#include "gtest/gtest.h"
#include "penstock/penstock.h"
#include "tests/support/gateway.h"
#include "tests/support/process.h"

namespace penstock::testing {
namespace {

// The parameter is the driver's name.
class KilledDaemon : public ::testing::TestWithParam<std::string> {
 protected:
  std::string target() const { return "unix:" + folder_.path() + "/penstock.sock"; }

  std::vector<std::string> Command() const {
    std::ofstream(folder_.path() + "/penstock.yaml") << fmt::format(
        "data_dir: {0}/data\nserver: {{listen: ['{1}']}}\n"
        "databases:\n  main: {{driver: {2}}}\n",
        folder_.path(), target(), GetParam());
    return {BuiltProgram("penstockd"), "--config", folder_.path() + "/penstock.yaml",
            "--http-listen", "127.0.0.1:0"};
  }

  std::unique_ptr<Provider> Connect() const {
    auto db = New(penstock::Config{.target = target()});
    EXPECT_TRUE(db.ok()) << db.status();
    const absl::Status connected = (*db)->Connect(Context());
    EXPECT_TRUE(connected.ok()) << connected;
    return *std::move(db);
  }

  TempDir folder_;
};
INSTANTIATE_TEST_SUITE_P(Drivers, KilledDaemon, ::testing::Values("pebble", "rocksdb", "sqlite"),
                         [](const auto& tested) { return tested.param; });

// What one writer knows of its keys. One write is in flight when the daemon is
// killed: it was done, or not, and nothing else.
struct Written {
  std::map<std::string, std::string> acknowledged;
  std::vector<Mutation> in_flight;
};

std::map<std::string, std::string> Applied(std::map<std::string, std::string> entries,
                                           const std::vector<Mutation>& mutations) {
  for (const Mutation& mutation : mutations) {
    if (mutation.kind == Mutation::Kind::kPut) {
      entries[mutation.key] = mutation.value;
    } else {
      entries.erase(mutation.key);
    }
  }
  return entries;
}

TEST_P(KilledDaemon, KeepsWhatItAcknowledgedAndNoHalfOfAWrite) {
  constexpr int kWriters = 6;
  std::vector<Written> written(kWriters);
  for (int round = 0; round < 3; ++round) {
    Process daemon(Command(), folder_.path());
    ASSERT_TRUE(daemon.WaitForOutput("penstockd ready")) << daemon.output();
    const auto db = Connect();
    // What the last round has left.
    for (int w = 0; w < kWriters; ++w) {
      const auto entries = db->KeyValue("")->Scan(Context(), {.prefix = fmt::format("{}/", w)});
      ASSERT_TRUE(entries.ok()) << entries.status();
      std::map<std::string, std::string> found;
      while ((*entries)->Next()) found[(*entries)->Key()] = (*entries)->Value();
      ASSERT_TRUE((*entries)->Err().ok()) << (*entries)->Err();
      if (found != written[w].acknowledged) {
        EXPECT_EQ(found, Applied(written[w].acknowledged, written[w].in_flight));
      }
      written[w] = {.acknowledged = found, .in_flight = {}};
    }
    std::atomic<int> count = 0;
    std::vector<std::thread> writers;
    for (int w = 0; w < kWriters; ++w) {
      writers.emplace_back([&, w] {
        const auto kv = db->KeyValue("");
        std::minstd_rand random(static_cast<unsigned>(round * kWriters + w + 1));
        for (;;) {
          std::vector<Mutation> mutations;
          for (int i = 0; i < 3; ++i) {
            const std::string key = fmt::format("{}/{}", w, random() % 50);
            mutations.push_back(random() % 4 == 0 ? Mutation::Delete(key)
                                                  : Mutation::Put(key, std::to_string(random())));
          }
          written[w].in_flight = mutations;
          if (!kv->Write(Context(), {}, mutations).ok()) return;  // killed
          written[w].acknowledged = Applied(written[w].acknowledged, mutations);
          written[w].in_flight.clear();
          ++count;
        }
      });
    }
    while (count < 300) std::this_thread::yield();
    daemon.Signal(SIGKILL);
    EXPECT_EQ(daemon.Wait(), 128 + SIGKILL);
    for (std::thread& writer : writers) writer.join();
  }
}

class SecondDaemon : public KilledDaemon {};
// Not sqlite, whose locks are a statement's and not the process's.
INSTANTIATE_TEST_SUITE_P(Drivers, SecondDaemon, ::testing::Values("pebble"),
                         [](const auto& tested) { return tested.param; });

TEST_P(SecondDaemon, OnTheSameFilesIsRefused) {
  Process daemon(Command(), folder_.path());
  ASSERT_TRUE(daemon.WaitForOutput("penstockd ready")) << daemon.output();
  std::vector<std::string> command = Command();
  for (const char* word : {"--listen", "127.0.0.1:0"}) command.emplace_back(word);
  Process second(command, folder_.path());
  EXPECT_NE(second.Wait(), 0);
  EXPECT_NE(second.output().find("is already open"), std::string::npos) << second.output();
}

}  // namespace
}  // namespace penstock::testing
