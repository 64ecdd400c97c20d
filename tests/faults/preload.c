/* What tests do to the real programs from below: LD_PRELOAD this into them.
 *
 * recording  FAULTS_LOG     every change below the folder FAULTS_DIR is written down, in order, and
 *                           what is written to the descriptor FAULTS_MARK_FD ("marks": what the
 *                           program said). fsync then only goes into the log.
 * faults     FAULTS_CONTROL its `fail_per_million` of write, fsync, ftruncate below FAULTS_DIR fail
 *                           with ENOSPC or EIO, or write half. FAULTS_SEED draws.
 * clock      FAULTS_CONTROL its `clock_ns` is added to CLOCK_REALTIME; CLOCK_MONOTONIC stays. Its
 *                           `synced` is what the kernel says of the clock: 1 yes, 2 no, 0 the truth.
 *
 * Seen are the calls that go through the symbols below: those of Python and SQLite do. Not seen are
 * mmap (SQLite's -shm), fopen, io_uring. Linux with 64 bits. The formats are read by preload.py.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <pthread.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <sys/timex.h>
#include <sys/uio.h>
#include <time.h>
#include <unistd.h>

#include "paths.h"

#define SECOND 1000000000LL
#define ALSO(name) __attribute__((alias(name))) /* all offsets have 64 bits here */
#define HIGH 900 /* our own descriptors, out of the way of a program that counts on low numbers */

struct control { volatile int64_t clock_ns; volatile uint64_t fail_per_million, injected, synced; };
struct event { uint32_t op, pid; uint64_t file, offset; uint32_t path, other; uint64_t data; };

static int log_handle = -1, lock_handle = -1, mark_handle = -1;
static struct control nothing, *control = &nothing;
static uint64_t seed, drawn;
static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;

static int own(const char *variable, int flags) {
    const char *path = getenv(variable);
    int handle = path ? (int)syscall(SYS_openat, AT_FDCWD, path, flags | O_CLOEXEC, 0600) : -1;
    if (handle < 0) return -1;
    int high = fcntl(handle, F_DUPFD_CLOEXEC, HIGH);
    syscall(SYS_close, handle);
    return high;
}

__attribute__((constructor)) static void begin(void) {
    const char *watched = getenv("FAULTS_DIR"), *mark = getenv("FAULTS_MARK_FD");
    int handle = own("FAULTS_CONTROL", O_RDWR);
    if (handle >= 0) {
        void *page = mmap(NULL, sizeof *control, PROT_READ | PROT_WRITE, MAP_SHARED, handle, 0);
        if (page != MAP_FAILED) control = page;
    }
    lock_handle = own("FAULTS_LOG", O_RDONLY); /* for flock, which belongs to one opening */
    log_handle = own("FAULTS_LOG", O_WRONLY | O_APPEND);
    if (mark && log_handle >= 0) mark_handle = atoi(mark);
    seed = getenv("FAULTS_SEED") ? strtoull(getenv("FAULTS_SEED"), NULL, 10) : 0;
    if (watched) folder_length = (size_t)snprintf(folder, sizeof folder, "%s", watched);
}

/* One change at a time over all processes: the order of the log is the order of what happened. */
static void enter(void) {
    pthread_mutex_lock(&mutex);
    if (lock_handle >= 0) syscall(SYS_flock, lock_handle, LOCK_EX);
}

static void leave(void) {
    int error = errno;
    if (lock_handle >= 0) syscall(SYS_flock, lock_handle, LOCK_UN);
    pthread_mutex_unlock(&mutex);
    errno = error;
}

static void note(char op, uint64_t file, uint64_t offset, const char *path, const char *other,
                 const struct iovec *parts, int count, size_t data) {
    if (log_handle < 0) return;
    int error = errno;
    struct event head = {(uint32_t)op, (uint32_t)getpid(), file, offset,
                         path ? strlen(path) : 0, other ? strlen(other) : 0, data};
    struct iovec all[3 + 64] = {
        {&head, sizeof head}, {(char *)path, head.path}, {(char *)other, head.other}};
    int used = 3;
    for (int i = 0; i < count && data && used < 67; i++) {
        all[used] = parts[i];
        if (all[used].iov_len > data) all[used].iov_len = data;
        data -= all[used++].iov_len;
    }
    size_t whole = sizeof head + head.path + head.other + head.data;
    if (data || syscall(SYS_writev, log_handle, all, used) != (long)whole) abort();
    errno = error;
}

/* Draws whether this call fails, and how: 0 not, else an errno, or -1 for half a write. */
static int fault(void) {
    if (!control->fail_per_million) return 0;
    uint64_t number = __sync_add_and_fetch(&drawn, 1), start = seed ^ (uint64_t)getpid() << 32;
    uint64_t z = start + number * 0x9e3779b97f4a7c15u;
    z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9u; /* splitmix64 */
    z = (z ^ z >> 27) * 0x94d049bb133111ebu;
    z ^= z >> 31;
    if (z % 1000000 >= control->fail_per_million) return 0;
    __sync_add_and_fetch(&control->injected, 1);
    return (int[]){ENOSPC, EIO, -1}[(z >> 40) % 3];
}

static ssize_t put(int handle, const struct iovec *parts, int count, off_t offset) {
    struct stat is;
    char path[PATH_MAX];
    int seen = watched(handle, &is, path), mark = handle == mark_handle;
    struct iovec half;
    ssize_t done = -1;
    if (seen || mark) enter();
    int wrong = seen ? fault() : 0;
    if (wrong < 0) {
        half = (struct iovec){parts[0].iov_base, parts[0].iov_len / 2};
        parts = &half, count = 1, wrong = half.iov_len ? 0 : ENOSPC;
    }
    if (wrong) errno = wrong;
    else if (offset < 0) done = syscall(SYS_writev, handle, parts, count);
    else done = syscall(SYS_pwritev, handle, parts, count, offset, 0);
    if (seen && done > 0) {
        off_t from = offset < 0 ? lseek(handle, 0, SEEK_CUR) - done : offset;
        note('W', is.st_ino, from, path, NULL, parts, count, done);
    } else if (mark && done > 0) note('M', 0, 0, NULL, NULL, parts, count, done);
    if (seen || mark) leave();
    return done;
}

ssize_t write(int handle, const void *data, size_t size) {
    struct iovec part = {(void *)data, size};
    return put(handle, &part, 1, -1);
}
ssize_t pwrite(int handle, const void *data, size_t size, off_t offset) {
    struct iovec part = {(void *)data, size};
    return put(handle, &part, 1, offset);
}
ssize_t pwrite64(int, const void *, size_t, off_t) ALSO("pwrite");
ssize_t writev(int handle, const struct iovec *parts, int count) {
    return put(handle, parts, count, -1);
}
ssize_t pwritev(int handle, const struct iovec *parts, int count, off_t offset) {
    return put(handle, parts, count, offset);
}
ssize_t pwritev64(int, const struct iovec *, int, off_t) ALSO("pwritev");

static int sized(int handle, off_t size, long number, int mode, off_t offset) {
    struct stat is;
    char path[PATH_MAX];
    int done = -1, seen = watched(handle, &is, path);
    if (seen) enter();
    int wrong = seen ? fault() : 0;
    if (wrong) errno = wrong < 0 ? EIO : wrong;
    else if (number == SYS_ftruncate) done = (int)syscall(number, handle, size);
    else done = (int)syscall(number, handle, mode, offset, size);
    if (seen && !done && !fstat(handle, &is))
        note('T', is.st_ino, is.st_size, path, NULL, NULL, 0, 0);
    if (seen) leave();
    return done;
}

int ftruncate(int handle, off_t size) { return sized(handle, size, SYS_ftruncate, 0, 0); }
int ftruncate64(int, off_t) ALSO("ftruncate");
int fallocate(int handle, int mode, off_t offset, off_t size) {
    return sized(handle, size, SYS_fallocate, mode, offset);
}
int fallocate64(int, int, off_t, off_t) ALSO("fallocate");
int posix_fallocate(int handle, off_t offset, off_t size) {
    return fallocate(handle, 0, offset, size) ? errno : 0;
}
int posix_fallocate64(int, off_t, off_t) ALSO("posix_fallocate");

static int synced(int handle, long number) {
    struct stat is;
    char path[PATH_MAX];
    if (!watched(handle, &is, path)) return (int)syscall(number, handle);
    enter();
    int wrong = fault(), done = -1;
    if (wrong) errno = wrong < 0 ? EIO : wrong;
    else done = log_handle >= 0 ? 0 : (int)syscall(number, handle);
    note(done ? 'E' : S_ISDIR(is.st_mode) ? 'Y' : 'S', is.st_ino, 0, path, NULL, NULL, 0, 0);
    leave();
    return done;
}

int fsync(int handle) { return synced(handle, SYS_fsync); }
int fdatasync(int handle) { return synced(handle, SYS_fdatasync); }

static int opened(int at, const char *path, int flags, mode_t mode) {
    char name[PATH_MAX];
    if (!(flags & (O_CREAT | O_TRUNC)) || !resolve(at, path, name))
        return (int)syscall(SYS_openat, at, path, flags, mode);
    struct stat was, is;
    enter();
    int there = !fstatat(AT_FDCWD, name, &was, 0);
    int handle = (int)syscall(SYS_openat, at, path, flags, mode);
    if (handle >= 0 && !fstat(handle, &is)) {
        if (!there) note('C', is.st_ino, 0, name, NULL, NULL, 0, 0);
        else if ((flags & O_TRUNC) && S_ISREG(is.st_mode))
            note('T', is.st_ino, 0, name, NULL, NULL, 0, 0);
    }
    leave();
    return handle;
}

#define MODE mode_t mode; va_list more; va_start(more, flags); \
    mode = flags & (O_CREAT | O_TMPFILE) ? va_arg(more, mode_t) : 0; va_end(more)
int open(const char *path, int flags, ...) { MODE; return opened(AT_FDCWD, path, flags, mode); }
int open64(const char *, int, ...) ALSO("open");
int openat(int at, const char *path, int flags, ...) { MODE; return opened(at, path, flags, mode); }
int openat64(int, const char *, int, ...) ALSO("openat");
int creat(const char *path, mode_t mode) {
    return opened(AT_FDCWD, path, O_CREAT | O_WRONLY | O_TRUNC, mode);
}
int creat64(const char *, mode_t) ALSO("creat");

/* Names. `call` has been given as the last argument, so that it happens under the lock. */
#define HERE AT_FDCWD
#define NOTHING (char *)NULL
#define NAMED(op, at, path, to_at, to, call) do { \
    char from[PATH_MAX], into[PATH_MAX] = ""; \
    int seen = resolve(at, path, from), other = resolve(to_at, to, into); \
    if (!seen && !other) return (int)(call); \
    struct stat is = {0}; \
    enter(); \
    int done = (int)(call); \
    if (!done) fstatat(HERE, other ? into : from, &is, AT_SYMLINK_NOFOLLOW); \
    if (!done) note(op, is.st_ino, 0, from, into, NULL, 0, 0); \
    leave(); \
    return done; } while (0)

int renameat(int x, const char *a, int y, const char *b) {
    NAMED('R', x, a, y, b, syscall(SYS_renameat2, x, a, y, b, 0));
}
int rename(const char *a, const char *b) { return renameat(HERE, a, HERE, b); }
int linkat(int x, const char *a, int y, const char *b, int flags) {
    NAMED('L', x, a, y, b, syscall(SYS_linkat, x, a, y, b, flags));
}
int link(const char *a, const char *b) { return linkat(HERE, a, HERE, b, 0); }
int unlinkat(int x, const char *a, int flags) {
    NAMED('U', x, a, HERE, NOTHING, syscall(SYS_unlinkat, x, a, flags));
}
int unlink(const char *a) { return unlinkat(HERE, a, 0); }
int rmdir(const char *a) { return unlinkat(HERE, a, AT_REMOVEDIR); }
int mkdirat(int x, const char *a, mode_t mode) {
    NAMED('D', x, a, HERE, NOTHING, syscall(SYS_mkdirat, x, a, mode));
}
int mkdir(const char *a, mode_t mode) { return mkdirat(HERE, a, mode); }

/* Copies inside the kernel would not be seen: programs fall back to read and write. */
static ssize_t copied(int out, long number, int in, off_t *from, off_t *to, size_t size,
                      unsigned flags) {
    struct stat is;
    char path[PATH_MAX];
    if (watched(out, &is, path)) return errno = EINVAL, -1;
    if (number == SYS_sendfile) return syscall(number, out, in, from, size);
    return syscall(number, in, from, out, to, size, flags);
}
ssize_t sendfile(int out, int in, off_t *from, size_t size) {
    return copied(out, SYS_sendfile, in, from, NULL, size, 0);
}
ssize_t sendfile64(int, int, off_t *, size_t) ALSO("sendfile");
ssize_t copy_file_range(int in, off_t *from, int out, off_t *to, size_t size, unsigned flags) {
    return copied(out, SYS_copy_file_range, in, from, to, size, flags);
}

static void shift(struct timespec *is, int64_t by) {
    int64_t whole = is->tv_sec * SECOND + is->tv_nsec + by;
    is->tv_sec = whole / SECOND, is->tv_nsec = whole % SECOND;
}

int clock_gettime(clockid_t clock, struct timespec *is) {
    int done = (int)syscall(SYS_clock_gettime, clock, is);
    if (!done && (clock == CLOCK_REALTIME || clock == CLOCK_REALTIME_COARSE))
        shift(is, control->clock_ns);
    return done;
}

int gettimeofday(struct timeval *restrict is, void *restrict zone) {
    struct timespec exact;
    (void)zone;
    int done = clock_gettime(CLOCK_REALTIME, &exact);
    is->tv_sec = exact.tv_sec, is->tv_usec = exact.tv_nsec / 1000;
    return done;
}

time_t time(time_t *is) {
    struct timespec exact;
    clock_gettime(CLOCK_REALTIME, &exact);
    return is ? *is = exact.tv_sec : exact.tv_sec;
}

int adjtimex(struct timex *is) {
    int state = (int)syscall(SYS_adjtimex, is);
    if (state < 0 || is->modes || !control->synced) return state;
    return control->synced == 1 ? TIME_OK : TIME_ERROR;
}
