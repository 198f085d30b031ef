#pragma once

/// The convenient door: the networks, the CPU to run them on, checkpoints and images.

#include <dformer/backend/cpu/cpu.hpp>
#include <dformer/eval/probabilities.hpp>
#include <dformer/eval/segment.hpp>
#include <dformer/io/load.hpp>
#include <dformer/io/save_safetensors.hpp>
#include <dformer/io/save_torch.hpp>
#include <dformer/models.hpp>
