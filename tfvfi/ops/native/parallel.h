// A pool of threads that all operations of the process share.

#ifndef TFVFI_OPS_NATIVE_PARALLEL_H_
#define TFVFI_OPS_NATIVE_PARALLEL_H_

#include <cstdint>
#include <functional>

namespace tfvfi {

// Returns the number of threads including that of the caller: TFVFI_NUM_THREADS, or else the number
// of cores that this process may use.
int ThreadCount();

// Calls work(begin, end) on ranges that cover 0 to `count` once, and returns when all are done.
//
// The caller works too, so that it never waits for an idle core. Operations that run at the same
// time share the same threads instead of starting more. `cost` is about the number of nanoseconds
// that one step takes, which keeps small work on the caller. Ranges depend on the number of
// threads, so results must not depend on ranges.
void ParallelFor(int64_t count, double cost, const std::function<void(int64_t, int64_t)>& work);

}  // namespace tfvfi

#endif  // TFVFI_OPS_NATIVE_PARALLEL_H_
