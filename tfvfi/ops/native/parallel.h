// One pool of threads for all operations of the process.

#ifndef TFVFI_OPS_NATIVE_PARALLEL_H_
#define TFVFI_OPS_NATIVE_PARALLEL_H_

#include <cstdint>
#include <functional>

namespace tfvfi {

// How many threads work, the caller's included: TFVFI_NUM_THREADS, or else the cores that this
// process may use.
int ThreadCount();

// Calls work(begin, end) on ranges that cover 0 to `count` once, and returns when all are done.
//
// The caller works too, so that it never waits for an idle core, and operations that run at once
// share the same threads instead of starting more. `cost`, about the nanoseconds that one step
// takes, keeps small work on the caller. Ranges depend on the number of threads: results must not
// depend on ranges.
void ParallelFor(int64_t count, double cost, const std::function<void(int64_t, int64_t)>& work);

}  // namespace tfvfi

#endif  // TFVFI_OPS_NATIVE_PARALLEL_H_
