/* SPDX-License-Identifier: MIT */
/*
 * time64.h - on machines of 32 bits, where sizes and times have 64 by _FILE_OFFSET_BITS and _TIME_BITS: glibc's headers
 * call other symbols then, so what stands in for them has these names. -include has this in each file, and tests/link reads here what --wrap has to name.
 */
#ifndef RJWT_TEST_TIME64_H
#define RJWT_TEST_TIME64_H

#pragma redefine_extname __wrap_open __wrap_open64
#pragma redefine_extname __real_open __real_open64
#pragma redefine_extname __wrap_fopen __wrap_fopen64
#pragma redefine_extname __real_fopen __real_fopen64
#pragma redefine_extname __wrap_openat __wrap_openat64
#pragma redefine_extname __real_openat __real_openat64
#pragma redefine_extname __wrap___open_2 __wrap___open64_2
#pragma redefine_extname __real___open_2 __real___open64_2
#pragma redefine_extname __wrap___openat_2 __wrap___openat64_2
#pragma redefine_extname __real___openat_2 __real___openat64_2
#pragma redefine_extname __wrap_pread __wrap_pread64
#pragma redefine_extname __real_pread __real_pread64
#pragma redefine_extname __wrap_pwrite __wrap_pwrite64
#pragma redefine_extname __real_pwrite __real_pwrite64
#pragma redefine_extname __wrap_lseek __wrap_lseek64
#pragma redefine_extname __real_lseek __real_lseek64
#pragma redefine_extname __wrap_ftruncate __wrap_ftruncate64
#pragma redefine_extname __real_ftruncate __real_ftruncate64
#pragma redefine_extname __wrap_fallocate __wrap_fallocate64
#pragma redefine_extname __real_fallocate __real_fallocate64
#pragma redefine_extname __wrap_readdir __wrap_readdir64
#pragma redefine_extname __real_readdir __real_readdir64
#pragma redefine_extname __wrap_fstatvfs __wrap_fstatvfs64
#pragma redefine_extname __real_fstatvfs __real_fstatvfs64
#pragma redefine_extname __wrap_stat __wrap___stat64_time64
#pragma redefine_extname __real_stat __real___stat64_time64
#pragma redefine_extname __wrap_fstat __wrap___fstat64_time64
#pragma redefine_extname __real_fstat __real___fstat64_time64
#pragma redefine_extname __wrap_fstatat __wrap___fstatat64_time64
#pragma redefine_extname __real_fstatat __real___fstatat64_time64
#pragma redefine_extname __wrap_futimens __wrap___futimens64
#pragma redefine_extname __real_futimens __real___futimens64
#pragma redefine_extname __wrap_clock_gettime __wrap___clock_gettime64
#pragma redefine_extname __real_clock_gettime __real___clock_gettime64
#pragma redefine_extname __wrap_nanosleep __wrap___nanosleep64
#pragma redefine_extname __real_nanosleep __real___nanosleep64
#pragma redefine_extname __wrap_time __wrap___time64
#pragma redefine_extname __real_time __real___time64

#endif
