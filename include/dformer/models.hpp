#pragma once

/// The cheap door: every network type, and no backend. A backend's own header makes them run.

#include <dformer/heads/fcn_head.hpp>
#include <dformer/heads/ham_head.hpp>
#include <dformer/heads/mlp_head.hpp>
#include <dformer/models/asymformer.hpp>
#include <dformer/models/variants.hpp>
#include <dformer/nn/initialize.hpp>
#include <dformer/nn/visit.hpp>
