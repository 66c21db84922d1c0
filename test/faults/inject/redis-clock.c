/*
 * The wall clock of a redis-server, some milliseconds off: loaded before the C library (ld.so(8), LD_PRELOAD).
 * The offset is eight bytes of the file that WALL_CLOCK_FILE names. Programs of any other name keep the right time.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <time.h>
#include <unistd.h>

static volatile int64_t *offset;

__attribute__((constructor)) static void begin(void) {
  const char *path = getenv("WALL_CLOCK_FILE");
  if (path == NULL || strcmp(program_invocation_short_name, "redis-server") != 0) return;
  int file = open(path, O_RDONLY | O_CLOEXEC);
  if (file < 0) return;
  void *found = mmap(NULL, sizeof(int64_t), PROT_READ, MAP_SHARED, file, 0);
  if (found != MAP_FAILED) offset = found;
  close(file);
}

int clock_gettime(clockid_t which, struct timespec *now) {
  int result = (int)syscall(SYS_clock_gettime, which, now);
  if (result != 0 || offset == NULL || (which != CLOCK_REALTIME && which != CLOCK_REALTIME_COARSE)) return result;
  int64_t milliseconds = *offset;
  now->tv_sec += milliseconds / 1000;
  now->tv_nsec += (milliseconds % 1000) * 1000000;
  if (now->tv_nsec >= 1000000000) now->tv_sec += 1, now->tv_nsec -= 1000000000;
  if (now->tv_nsec < 0) now->tv_sec -= 1, now->tv_nsec += 1000000000;
  return 0;
}

int gettimeofday(struct timeval *restrict now, void *restrict zone) {
  struct timespec exact;
  (void)zone;
  if (clock_gettime(CLOCK_REALTIME, &exact) != 0) return -1;
  now->tv_sec = exact.tv_sec;
  now->tv_usec = exact.tv_nsec / 1000;
  return 0;
}

time_t time(time_t *out) {
  struct timespec exact;
  if (clock_gettime(CLOCK_REALTIME, &exact) != 0) return (time_t)-1;
  if (out != NULL) *out = exact.tv_sec;
  return exact.tv_sec;
}
