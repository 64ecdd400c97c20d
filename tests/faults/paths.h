/* Which files and names lie below the folder that is watched. Part of preload.c. */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static char folder[PATH_MAX];
static size_t folder_length;

static int below(const char *path) {
    return folder_length && !strncmp(path, folder, folder_length)
        && (path[folder_length] == '/' || !path[folder_length]);
}

static int linked(char *out, const char *what, int handle) {
    char link[64];
    snprintf(link, sizeof link, what, handle);
    ssize_t length = readlink(link, out, PATH_MAX - 1);
    out[length < 0 ? 0 : length] = 0;
    return length > 0;
}

/* Whether the open file lies below the folder; its number and path. */
static int watched(int handle, struct stat *is, char *path) {
    if (!folder_length) return 0;
    int error = errno, found = linked(path, "/proc/self/fd/%d", handle) && below(path)
        && fstat(handle, is) == 0 && (S_ISREG(is->st_mode) || S_ISDIR(is->st_mode));
    errno = error;
    return found;
}

/* The absolute path of a name that need not exist; whether it lies below the folder. */
static int resolve(int at, const char *path, char *out) {
    char joined[2 * PATH_MAX], parent[PATH_MAX], *slash;
    if (!folder_length || !path) return 0;
    int error = errno, found = 0;
    if (path[0] == '/') snprintf(joined, sizeof joined, "%s", path);
    else if (linked(parent, at == AT_FDCWD ? "/proc/self/cwd" : "/proc/self/fd/%d", at))
        snprintf(joined, sizeof joined, "%s/%s", parent, path);
    else joined[0] = 0;
    if ((slash = strrchr(joined, '/')) && slash[1]) {
        *slash = 0;
        if (realpath(joined[0] ? joined : "/", parent))
            found = snprintf(out, PATH_MAX, "%s/%s", parent, slash + 1) < PATH_MAX && below(out);
    }
    errno = error;
    return found;
}
