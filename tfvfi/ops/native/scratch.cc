#include "scratch.h"

#include <mutex>
#include <new>
#include <vector>

namespace tfvfi {
namespace {

// Smaller blocks are quick to get.
constexpr int64_t kLarge = 1 << 20;
#ifdef __SANITIZE_ADDRESS__
// Every operation gets memory of its own, so that access beyond its end is noticed.
constexpr int64_t kMostKept = 0;
#else
constexpr int64_t kMostKept = 256 << 20;
#endif

// Stands before the memory and keeps it aligned.
struct alignas(64) Header {
  int64_t bytes;
};

Header* HeaderOf(char* memory) { return reinterpret_cast<Header*>(memory) - 1; }

void Free(char* memory) { ::operator delete[](HeaderOf(memory), std::align_val_t(64)); }

// Blocks that nobody uses, from the oldest to the newest. The lock is only tried: a thread that
// cannot get it at once, or a forked process that inherits it locked, does without kept blocks.
std::mutex lock;
std::vector<char*>& kept = *new std::vector<char*>;
int64_t kept_bytes = 0;

char* TakeKept(int64_t bytes) {
  const std::unique_lock<std::mutex> locked(lock, std::try_to_lock);
  if (!locked) return nullptr;
  size_t best = kept.size();
  for (size_t at = 0; at < kept.size(); ++at) {
    const int64_t offered = HeaderOf(kept[at])->bytes;
    // Much larger blocks are left for those who need them.
    if (offered < bytes || offered > 4 * bytes) continue;
    if (best == kept.size() || offered < HeaderOf(kept[best])->bytes) best = at;
  }
  if (best == kept.size()) return nullptr;
  char* const memory = kept[best];
  kept_bytes -= HeaderOf(memory)->bytes;
  kept.erase(kept.begin() + best);
  return memory;
}

}  // namespace

char* TakeScratch(int64_t bytes) {
  if (bytes >= kLarge) {
    if (char* const memory = TakeKept(bytes)) return memory;
  }
  void* const whole = ::operator new[](sizeof(Header) + bytes, std::align_val_t(64));
  return reinterpret_cast<char*>(new (whole) Header{bytes} + 1);
}

void GiveScratchBack(char* memory) {
  const int64_t bytes = HeaderOf(memory)->bytes;
  if (bytes >= kLarge && bytes <= kMostKept) {
    const std::unique_lock<std::mutex> locked(lock, std::try_to_lock);
    if (locked) {
      kept.push_back(memory);
      kept_bytes += bytes;
      while (kept_bytes > kMostKept) {
        kept_bytes -= HeaderOf(kept.front())->bytes;
        Free(kept.front());
        kept.erase(kept.begin());
      }
      return;
    }
  }
  Free(memory);
}

}  // namespace tfvfi
