#include "parallel.h"

#ifdef __linux__
#include <sched.h>
#endif
#include <pthread.h>

#include <algorithm>
#include <atomic>
#include <condition_variable>
#include <cstdlib>
#include <deque>
#include <memory>
#include <mutex>
#include <thread>

namespace tfvfi {
namespace {

// The least work, in nanoseconds, that is worth waking a thread.
constexpr double kSmallestRange = 20000;
constexpr int kMostThreads = 1024;

int CountThreads() {
  if (const char* text = std::getenv("TFVFI_NUM_THREADS")) {
    const int asked = std::atoi(text);
    if (asked > 0) return std::min(asked, kMostThreads);
  }
#ifdef __linux__
  cpu_set_t cores;
  if (sched_getaffinity(0, sizeof(cores), &cores) == 0) return std::max(1, CPU_COUNT(&cores));
#endif
  return std::max(1u, std::thread::hardware_concurrency());
}

struct Job {
  const std::function<void(int64_t, int64_t)>* work;
  int64_t count;
  int64_t step;
  std::atomic<int64_t> next{0};
  std::atomic<int64_t> done{0};
  std::mutex mutex;
  std::condition_variable finished;

  bool Taken() const { return next.load() >= count; }

  // Processes ranges until none is left. `work` is accessed only while some range is unfinished.
  void Run() {
    for (int64_t begin; (begin = next.fetch_add(step)) < count;) {
      const int64_t end = std::min(begin + step, count);
      (*work)(begin, end);
      if (done.fetch_add(end - begin) + end - begin == count) {
        std::lock_guard<std::mutex> lock(mutex);
        finished.notify_all();
      }
    }
  }

  void Wait() {
    std::unique_lock<std::mutex> lock(mutex);
    finished.wait(lock, [this] { return done.load() == count; });
  }
};

class Pool {
 public:
  explicit Pool(int threads) : threads_(threads) {
    for (int i = 1; i < threads; ++i) std::thread([this] { Work(); }).detach();
  }

  int threads() const { return threads_; }

  void Run(const std::shared_ptr<Job>& job) {
    {
      std::lock_guard<std::mutex> lock(mutex_);
      jobs_.push_back(job);
    }
    changed_.notify_all();
    job->Run();
    job->Wait();
  }

 private:
  void Work() {
    std::unique_lock<std::mutex> lock(mutex_);
    while (true) {
      while (!jobs_.empty() && jobs_.front()->Taken()) jobs_.pop_front();
      if (jobs_.empty()) {
        changed_.wait(lock);
        continue;
      }
      const std::shared_ptr<Job> job = jobs_.front();
      lock.unlock();
      job->Run();
      lock.lock();
    }
  }

  const int threads_;
  std::mutex mutex_;
  std::condition_variable changed_;
  std::deque<std::shared_ptr<Job>> jobs_;
};

std::atomic<Pool*> pool{nullptr};

// Threads do not survive a fork, so the child starts its own. It does not use the parent's pool,
// because the locks of that pool may never be released.
void ForgetPool() { pool.store(nullptr); }

Pool& ThePool() {
  static const int registered = pthread_atfork(nullptr, nullptr, ForgetPool);
  static std::mutex creating;
  (void)registered;
  if (Pool* ready = pool.load()) return *ready;
  std::lock_guard<std::mutex> lock(creating);
  if (pool.load() == nullptr) pool.store(new Pool(CountThreads()));  // Never freed.
  return *pool.load();
}

}  // namespace

int ThreadCount() { return ThePool().threads(); }

void ParallelFor(int64_t count, double cost, const std::function<void(int64_t, int64_t)>& work) {
  if (count <= 0) return;
  Pool& threads = ThePool();
  const int64_t smallest = static_cast<int64_t>(kSmallestRange / std::max(cost, 1.0)) + 1;
  // There are several ranges per thread, so that no thread waits long for a slow one.
  const int64_t step = std::max(smallest, count / (8 * threads.threads()));
  if (step >= count || threads.threads() == 1) return work(0, count);
  auto job = std::make_shared<Job>();
  job->work = &work;
  job->count = count;
  job->step = step;
  threads.Run(job);
}

}  // namespace tfvfi
