"""DFormerv2 in PyTorch, to be measured against: written from the paper and for speed, with PyTorch's own fused attention.
Features stay channels-last ([N, H, W, C]). Parameters have the official names, so a checkpoint of either side fits both."""
import math

import torch
from torch import nn
from torch.nn import functional as F

from dformer_torch import Head, channels_first, channels_last, depthwise

CONFIGS = {
    "DFormerv2_S": dict(dims=(64, 128, 256, 512), depths=(3, 4, 18, 4), heads=(4, 4, 8, 16), ranges=(4, 4, 6, 6),
                        scaled=False, embed=512),
    "DFormerv2_B": dict(dims=(80, 160, 320, 512), depths=(4, 8, 25, 8), heads=(5, 5, 10, 16), ranges=(5, 5, 6, 6),
                        scaled=True, embed=512),
    "DFormerv2_L": dict(dims=(112, 224, 448, 640), depths=(4, 8, 25, 8), heads=(7, 7, 14, 20), ranges=(6, 6, 6, 6),
                        scaled=True, embed=1024),
}
MLP_RATIOS = (4, 4, 3, 3)


class Depthwise(nn.Module):
    """The depthwise convolution under the name that the checkpoints give it."""

    def __init__(self, channels, kernel):
        super().__init__()
        self.dwconv = depthwise(channels, kernel)

    def forward(self, x):
        return channels_last(self.dwconv(channels_first(x)))


class GeometryPrior(nn.Module):
    def __init__(self, head_dim, heads, spread):
        super().__init__()
        self.weight = nn.Parameter(torch.ones(2, 1, 1, 1))
        angle = 1.0 / (10000 ** torch.linspace(0, 1, head_dim // 2))
        self.register_buffer("angle", angle.repeat_interleave(2))
        self.register_buffer("decay", torch.log(1 - 2 ** (-2 - spread * torch.arange(heads) / heads)))

    def bias(self, positions, depth):
        """positions [..., T], depth [..., T] -> what is added to the scores, [..., heads, T, T]."""
        distance = lambda x: (x.unsqueeze(-1) - x.unsqueeze(-2)).abs()
        both = self.weight[0, 0, 0, 0] * positions + self.weight[1, 0, 0, 0] * distance(depth)
        return both.unsqueeze(-3) * self.decay[:, None, None]


def attend(q, k, v, bias):
    """softmax(q k^T / sqrt(d) + bias) v for each line of each image, [N, lines, heads, T, d]. Both outer axes are taken as
    one: with five axes PyTorch would silently not take its fused attention."""
    fold = lambda t: t.flatten(0, 1)
    y = F.scaled_dot_product_attention(fold(q), fold(k), fold(v), fold(bias).to(q.dtype))
    return y.unflatten(0, q.shape[:2])


class GeometryAttention(nn.Module):
    def __init__(self, dim, heads, full):
        super().__init__()
        self.heads, self.full = heads, full
        self.q_proj, self.k_proj, self.v_proj, self.out_proj = (nn.Linear(dim, dim) for _ in range(4))
        self.lepe = Depthwise(dim, 5)

    def rotated(self, x, sin, cos):
        x = x.unflatten(3, (self.heads, -1))
        turned = torch.stack((-x[..., 1::2], x[..., ::2]), -1).flatten(-2)
        return x * cos + turned * sin

    def forward(self, x, depth, prior):
        n, height, width, dim = x.shape
        index = torch.arange(height * width, device=x.device, dtype=torch.float32).view(height, width, 1)
        turns = index * prior.angle.float()
        sin, cos = (f(turns).unsqueeze(2).to(x.dtype) for f in (torch.sin, torch.cos))
        q, k = self.rotated(self.q_proj(x), sin, cos), self.rotated(self.k_proj(x), sin, cos)  # [N, H, W, heads, d]
        values = self.v_proj(x)
        v = values.unflatten(3, (self.heads, -1))
        rows = torch.arange(height, device=x.device, dtype=x.dtype)
        columns = torch.arange(width, device=x.device, dtype=x.dtype)
        steps = lambda at: (at[:, None] - at[None, :]).abs()
        if self.full:
            positions = (steps(rows)[:, None, :, None] + steps(columns)[None, :, None, :]).flatten(2).flatten(0, 1)
            bias = prior.bias(positions, depth.flatten(1))
            tokens = lambda t: t.flatten(1, 2).transpose(1, 2)
            y = F.scaled_dot_product_attention(tokens(q), tokens(k), tokens(v), bias.to(q.dtype))
            y = y.transpose(1, 2).reshape(n, height, width, dim)
        else:
            across = lambda t: t.permute(0, 1, 3, 2, 4)
            bias = prior.bias(steps(columns), depth)
            v = attend(across(q), across(k), across(v), bias).permute(0, 1, 3, 2, 4)
            down = lambda t: t.permute(0, 2, 3, 1, 4)
            bias = prior.bias(steps(rows), depth.transpose(1, 2))
            y = attend(down(q), down(k), down(v), bias).permute(0, 3, 1, 2, 4).reshape(n, height, width, dim)
        return self.out_proj(y + self.lepe(values))


class Mlp(nn.Module):
    def __init__(self, dim, hidden):
        super().__init__()
        self.fc1, self.fc2, self.dwconv = nn.Linear(dim, hidden), nn.Linear(hidden, dim), Depthwise(hidden, 3)

    def forward(self, x):
        hidden = F.gelu(self.fc1(x))
        return self.fc2(hidden + self.dwconv(hidden))


class Block(nn.Module):
    def __init__(self, dim, heads, ratio, spread, full, scaled):
        super().__init__()
        self.scaled = scaled
        if scaled:
            self.gamma_1, self.gamma_2 = (nn.Parameter(torch.full((1, 1, 1, dim), 1e-6)) for _ in range(2))
        self.layer_norm1, self.layer_norm2 = (nn.LayerNorm(dim, eps=1e-6) for _ in range(2))
        self.Attention, self.ffn = GeometryAttention(dim, heads, full), Mlp(dim, dim * ratio)
        self.cnn_pos_encode, self.Geo = Depthwise(dim, 3), GeometryPrior(dim // heads, heads, spread)

    def forward(self, x, depth):
        x = x + self.cnn_pos_encode(x)
        y = self.Attention(self.layer_norm1(x), depth, self.Geo)
        x = x + (self.gamma_1 * y if self.scaled else y)
        y = self.ffn(self.layer_norm2(x))
        return x + (self.gamma_2 * y if self.scaled else y)


class Merging(nn.Module):
    def __init__(self, inputs, outputs):
        super().__init__()
        self.reduction, self.norm = nn.Conv2d(inputs, outputs, 3, 2, 1), nn.BatchNorm2d(outputs)

    def forward(self, x):
        return channels_last(self.norm(self.reduction(channels_first(x))))


class Stage(nn.Module):
    def __init__(self, config, i):
        super().__init__()
        dims = config["dims"]
        self.blocks = nn.ModuleList(
            Block(dims[i], config["heads"][i], MLP_RATIOS[i], config["ranges"][i], i == 3, config["scaled"] and i >= 2)
            for _ in range(config["depths"][i]))
        if i < 3:
            self.downsample = Merging(dims[i], dims[i + 1])


class PatchEmbed(nn.Module):
    def __init__(self, dim):
        super().__init__()
        layers, widths = [], (3, dim // 2, dim // 2, dim, dim)
        for i, (a, b) in enumerate(zip(widths, widths[1:])):
            layers += [nn.Conv2d(a, b, 3, 2 - i % 2, 1), nn.BatchNorm2d(b)] + ([nn.GELU()] if i < 3 else [])
        self.proj = nn.Sequential(*layers)

    def forward(self, x):
        return channels_last(self.proj(x))


class Backbone(nn.Module):
    def __init__(self, config):
        super().__init__()
        self.patch_embed = PatchEmbed(config["dims"][0])
        self.layers = nn.ModuleList(Stage(config, i) for i in range(4))
        self.extra_norms = nn.ModuleList(nn.LayerNorm(dim) for dim in config["dims"][1:])

    def forward(self, rgb, depth):
        x, features = self.patch_embed(rgb), []
        for i, stage in enumerate(self.layers):
            grid = F.interpolate(depth, x.shape[1:3], mode="bilinear", align_corners=False)[:, 0]
            for block in stage.blocks:
                x = block(x, grid)
            features.append(channels_first(self.extra_norms[i - 1](x) if i > 0 else x))
            if i < 3:
                x = stage.downsample(x)
        return features


class DFormerV2(nn.Module):
    def __init__(self, name, classes=40):
        super().__init__()
        config = CONFIGS[name]
        self.backbone, self.decode_head = Backbone(config), Head(config["dims"], classes, config["embed"])

    def forward(self, rgb, depth):
        return self.decode_head(self.backbone(rgb, depth))
