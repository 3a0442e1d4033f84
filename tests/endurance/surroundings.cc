// Few descriptors, a full disk, bad links, and signals.
#include <signal.h>
#include <sys/resource.h>

#include <algorithm>
#include <filesystem>
#include <memory>
#include <thread>

#include "fmt/format.h"
#include "tests/endurance/flood.h"
#include "tests/endurance/http_get.h"
#include "tests/endurance/trouble.h"

namespace penstock::testing {
namespace {

using std::chrono::milliseconds;

// The highest descriptor that a process has open.
int HighestDescriptor(pid_t pid) {
  std::error_code error;
  int highest = 0;
  for (std::filesystem::directory_iterator each(fmt::format("/proc/{}/fd", pid), error), end;
       each != end; each.increment(error)) {
    highest = std::max(highest, std::stoi(each->path().filename()));
  }
  return highest;
}

// All but a few descriptors are taken away from the daemon that runs.
std::function<void()> Starve(const Stage& stage, Random* random) {
  const pid_t pid = stage.daemon->running().pid;
  rlimit before{};
  if (pid == 0 || prlimit(pid, RLIMIT_NOFILE, nullptr, &before) != 0) return [] {};
  const int64_t left = HighestDescriptor(pid) + Between(random, 1, 6);
  const rlimit few = {.rlim_cur = static_cast<rlim_t>(left), .rlim_max = before.rlim_max};
  prlimit(pid, RLIMIT_NOFILE, &few, nullptr);
  return [pid, before, stage] {
    if (stage.daemon->running().pid == pid) prlimit(pid, RLIMIT_NOFILE, &before, nullptr);
  };
}

// More connections than it serves, which say nothing.
std::function<void()> ConnectMany(const Stage& stage, Random* random) {
  auto idle = std::make_shared<std::vector<server::UniqueFd>>(
      ConnectOften(stage.daemon->running().tcp, Between(random, 100, 300)));
  return [idle] { idle->clear(); };
}

// It is ended and another one is started, as a supervisor does, at once or later.
std::function<void()> Restart(const Stage& stage, int signal) {
  if (stage.daemon->running().pid != 0) {
    const std::string wrong = stage.daemon->CheckLog() + stage.daemon->End(signal);
    if (!wrong.empty()) stage.complaints->Add(wrong);
  }
  stage.daemon->EnsureRunning();
  return [] {};
}

std::function<void()> Pause(const Stage& stage) {
  if (stage.daemon->running().pid == 0) return [] {};
  const pid_t pid = stage.daemon->running().pid;
  stage.daemon->Signal(SIGSTOP);
  return [stage, pid] {
    if (stage.daemon->running().pid == pid) stage.daemon->Signal(SIGCONT);
  };
}

std::function<void()> Reload(const Stage& stage, Random* random) {
  const auto pid = stage.daemon->running().pid;
  for (int64_t i = Between(random, 1, 10); i > 0 && pid != 0; --i) stage.daemon->Signal(SIGHUP);
  return [] {};
}

// The link of the clients is cut every some milliseconds.
std::function<void()> CutOften(const Stage& stage, Random* random) {
  auto flood = std::make_shared<Flood>(1, (*random)(), [stage](Random* each) {
    stage.link->Cut();
    std::this_thread::sleep_for(milliseconds(Between(each, 5, 100)));
  });
  return [flood]() mutable { flood.reset(); };
}

// The link to PostgreSQL is, too, between messages and within them.
std::function<void()> CutServerOften(const Stage& stage, Random* random) {
  auto flood = std::make_shared<Flood>(1, (*random)(), [stage](Random* each) {
    if (Between(each, 0, 1) == 0) {
      stage.server->Cut();
    } else {
      stage.server->CutAfterBytes(static_cast<size_t>(Between(each, 1, 2000)));
    }
    std::this_thread::sleep_for(milliseconds(Between(each, 20, 200)));
  });
  return [flood]() mutable { flood.reset(); };
}

void AddLinks(const Stage& stage, std::vector<Trouble>* all) {
  all->push_back({"a slow link", "link", false, [stage](Random* random) {
                    stage.link->SetDelay(milliseconds(Between(random, 20, 300)));
                    return [stage] { stage.link->SetDelay(milliseconds(0)); };
                  }});
  all->push_back({"a silent link", "link", false, [stage](Random*) {
                    stage.link->Swallow();
                    return [stage] {
                      stage.link->Cut();
                      stage.link->Swallow(false);
                    };
                  }});
  all->push_back({"lost answers", "link", false, [stage](Random*) {
                    stage.link->SwallowAnswers();
                    return [stage] {
                      stage.link->Cut();
                      stage.link->SwallowAnswers(false);
                    };
                  }});
  all->push_back(
      {"cut links", "link", false, [stage](Random* random) { return CutOften(stage, random); }});
}

void AddServer(const Stage& stage, std::vector<Trouble>* all) {
  all->push_back({"cut links to the server", "server", false,
                  [stage](Random* random) { return CutServerOften(stage, random); }});
  all->push_back({"a server that does not answer", "server", false, [stage](Random* random) {
                    stage.server->Stall(Between(random, 0, 1) == 0
                                            ? PgwireProxy::Direction::kToServer
                                            : PgwireProxy::Direction::kToClient);
                    return [stage] { stage.server->Resume(); };
                  }});
  all->push_back({"a server that is away", "server", false, [stage](Random*) {
                    stage.server->SetDoor(PgwireProxy::Door::kClosed);
                    stage.server->Cut();
                    return [stage] { stage.server->SetDoor(PgwireProxy::Door::kOpen); };
                  }});
}

}  // namespace

std::vector<Trouble> SurroundingTroubles(const Stage& stage) {
  std::vector<Trouble> all = {
      {"few descriptors", "descriptors", true,
       [stage](Random* random) { return Starve(stage, random); }},
      {"many connections", "connections", false,
       [stage](Random* random) { return ConnectMany(stage, random); }},
      {"a full disk", "disk", false,
       [stage](Random*) {
         stage.daemon->FillDisk(true);
         return [stage] { stage.daemon->FillDisk(false); };
       }},
      {"SIGTERM", "signal", true, [stage](Random*) { return Restart(stage, SIGTERM); }},
      {"SIGKILL", "signal", true, [stage](Random*) { return Restart(stage, SIGKILL); }},
      {"SIGSTOP", "signal", true, [stage](Random*) { return Pause(stage); }},
      {"SIGHUP", "signal", false, [stage](Random* random) { return Reload(stage, random); }},
  };
  AddLinks(stage, &all);
  AddServer(stage, &all);
  return all;
}

}  // namespace penstock::testing
