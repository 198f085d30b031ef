#pragma once

/// Where the CPU kernels were compiled once into the library `dformer::cpu` (which defines
/// DFORMER_PRECOMPILED), a program that links it sees their declarations only; otherwise every definition is
/// inline in the headers.
#if defined(DFORMER_PRECOMPILED)
#define DFORMER_INLINE
#else
#define DFORMER_INLINE inline
#endif
