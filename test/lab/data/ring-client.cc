// A client of a ring as an application is one: joined to the slave's chmpx for as long as it lives.
//
//   ring-client CONF LIMIT_MS        reads requests from its input, and answers each with one line
//
//   set KEY VALUE   -> ok MICROSECONDS | failed MICROSECONDS
//   get KEY         -> ok MICROSECONDS VALUE | missing MICROSECONDS | failed MICROSECONDS
//
// LIMIT_MS is what K2hdkcCommand::SetReceiveTimeout gets; 0 leaves the library's own 1000. It is counted
// in pauses of 10 us, not in time (docs/upstream/dropped-request.md). After a request that failed the
// client opens another message id: the answer can still come, and would be taken for that of the next one.
#include <k2hdkc/k2hdkc.h>
#include <k2hdkc/k2hdkccombase.h>
#include <k2hdkc/k2hdkcslave.h>

#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <iostream>
#include <sstream>
#include <string>
#include <thread>

namespace {

// Joins the slave's chmpx; now and then it fails for a moment.
k2hdkc_chmpx_h join(const char* conf) {
  k2hdkc_chmpx_h ring = K2HDKC_INVALID_HANDLE;
  for (int tries = 0; ring == K2HDKC_INVALID_HANDLE && tries < 50; ++tries) {
    if (tries > 0) std::this_thread::sleep_for(std::chrono::milliseconds(100));
    ring = k2hdkc_open_chmpx_full(conf, CHM_INVALID_PORT, nullptr, true, false, false);
  }
  return ring;
}

// The library keeps the code of the answer before when there is no answer.
void forgetAnswer(k2hdkc_chmpx_h ring) {
  reinterpret_cast<K2hdkcSlave*>(ring)->SetResponseCode(static_cast<dkcres_type_t>(DKC_RES_ERROR));
}

bool isMissing(k2hdkc_chmpx_h ring) { return k2hdkc_get_res_subcode(ring) == DKC_RES_SUBCODE_NODATA; }

}  // namespace

int main(int argc, char** argv) {
  if (argc != 3) {
    std::cerr << "usage: ring-client CONF LIMIT_MS\n";
    return 2;
  }
  if (const long limit = std::atol(argv[2]); limit > 0) K2hdkcCommand::SetReceiveTimeout(limit);
  k2hdkc_chmpx_h ring = join(argv[1]);
  if (ring == K2HDKC_INVALID_HANDLE) {
    std::cerr << "cannot join the chmpx of " << argv[1] << '\n';
    return 1;
  }
  for (std::string line; std::getline(std::cin, line);) {
    std::istringstream words(line);
    std::string verb, key, value;
    words >> verb >> key >> value;
    const auto start = std::chrono::steady_clock::now();
    std::string result = "failed";
    if (ring == K2HDKC_INVALID_HANDLE) {
      ring = join(argv[1]);
    } else if (verb == "set") {
      if (k2hdkc_pm_set_str_value(ring, key.c_str(), value.c_str())) result = "ok";
    } else {
      char* found = nullptr;
      forgetAnswer(ring);
      if (k2hdkc_pm_get_str_value(ring, key.c_str(), &found) && found != nullptr) {
        result = "ok";
        value = found;
      } else if (isMissing(ring)) {
        result = "missing";
      }
      std::free(found);
    }
    const auto took = std::chrono::steady_clock::now() - start;
    std::cout << result << ' ' << std::chrono::duration_cast<std::chrono::microseconds>(took).count()
              << ' ' << (verb == "get" ? value : "") << std::endl;
    if (result == "failed" && ring != K2HDKC_INVALID_HANDLE) {
      // The old one is closed afterwards: a new one would get its message id, and the late answer.
      const k2hdkc_chmpx_h old = ring;
      ring = join(argv[1]);
      k2hdkc_close_chmpx(old);
    }
  }
  return 0;
}
