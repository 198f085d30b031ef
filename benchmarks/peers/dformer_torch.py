"""DFormer in PyTorch, to be measured against: written from the paper and for speed in eager mode. Features stay
channels-last ([N, H, W, C]), so linear layers and norms need no transposing, and convolutions see PyTorch's
channels_last format. Parameters have the official names, so a checkpoint of either side fits both."""
import torch
from torch import nn
from torch.nn import functional as F

CONFIGS = {
    "DFormer_Tiny": dict(dims=(32, 64, 128, 256), depths=(3, 3, 5, 2)),
    "DFormer_Small": dict(dims=(64, 128, 256, 512), depths=(2, 2, 4, 2)),
    "DFormer_Base": dict(dims=(64, 128, 256, 512), depths=(3, 3, 12, 2)),
    "DFormer_Large": dict(dims=(96, 192, 288, 576), depths=(3, 3, 12, 2)),
}
HEADS, RATIOS, WINDOWS = (1, 2, 4, 8), (8, 8, 4, 4), (0, 7, 7, 7)


def channels_first(x):
    return x.permute(0, 3, 1, 2)


def channels_last(x):
    return x.permute(0, 2, 3, 1)


def depthwise(channels, kernel):
    return nn.Conv2d(channels, channels, kernel, padding=kernel // 2, groups=channels)


class Mlp(nn.Module):
    def __init__(self, dim, ratio):
        super().__init__()
        self.norm = nn.LayerNorm(dim, eps=1e-6)
        self.fc1 = nn.Linear(dim, dim * ratio)
        self.pos = depthwise(dim * ratio, 3)
        self.fc2 = nn.Linear(dim * ratio, dim)

    def forward(self, x):
        hidden = self.fc1(self.norm(x))
        return self.fc2(F.gelu(hidden + channels_last(self.pos(channels_first(hidden)))))


class Attention(nn.Module):
    def __init__(self, dim, heads, window, last):
        super().__init__()
        half = dim // 2
        joined = 2 * dim if window else dim + half
        self.heads, self.window, self.last = heads, window, last
        self.q, self.q_cut = nn.Linear(dim, dim), nn.Linear(dim, half)
        self.a, self.l = nn.Linear(dim, dim), nn.Linear(dim, dim)
        self.conv, self.e_conv = depthwise(dim, 7), depthwise(half, 7)
        self.e_fore, self.e_back = nn.Linear(half, half), nn.Linear(half, half)
        self.proj = nn.Linear(joined, dim)
        if not last:
            self.proj_e = nn.Linear(joined, half)
        if window:
            self.short_cut_linear = nn.Linear(dim + half, half)
            self.kv = nn.Linear(dim, dim)
        self.norm, self.norm_e = nn.LayerNorm(dim, eps=1e-6), nn.LayerNorm(half, eps=1e-6)

    def pooled_attention(self, rgb, depth, value):
        n, height, width, _ = rgb.shape
        pooled = F.adaptive_avg_pool2d(channels_first(torch.cat((rgb, depth), 3)), self.window)
        queries = self.short_cut_linear(channels_last(pooled)).flatten(1, 2)
        half = queries.shape[2]
        keys, values = self.kv(value).flatten(1, 2).split(half, 2)
        split = lambda x: x.unflatten(2, (self.heads, half // self.heads)).transpose(1, 2)
        y = F.scaled_dot_product_attention(split(queries), split(keys), split(values))
        y = y.transpose(1, 2).reshape(n, self.window, self.window, half)
        return channels_last(F.interpolate(channels_first(y), (height, width), mode="bilinear", align_corners=False))

    def forward(self, rgb, depth):
        rgb, depth = self.norm(rgb), self.norm_e(depth)
        value = F.gelu(self.l(rgb))
        local = self.q(rgb) * self.a(channels_last(self.conv(channels_first(value))))
        cut = self.q_cut(rgb) * self.e_back(channels_last(self.e_conv(channels_first(self.e_fore(depth)))))
        parts = (local, self.pooled_attention(rgb, depth, value), cut) if self.window else (local, cut)
        joined = torch.cat(parts, 3)
        return self.proj(joined), None if self.last else self.proj_e(joined)


class Block(nn.Module):
    def __init__(self, dim, heads, window, ratio, last):
        super().__init__()
        self.last = last
        self.layer_scale_1, self.layer_scale_2 = (nn.Parameter(torch.full((dim,), 1e-6)) for _ in range(2))
        self.attn, self.mlp = Attention(dim, heads, window, last), Mlp(dim, ratio)
        if not last:
            half = dim // 2
            self.layer_scale_1_e, self.layer_scale_2_e = (nn.Parameter(torch.full((half,), 1e-6)) for _ in range(2))
            self.mlp_e2 = Mlp(half, ratio)

    def forward(self, rgb, depth):
        y, e = self.attn(rgb, depth)
        rgb = rgb + self.layer_scale_1 * y
        rgb = rgb + self.layer_scale_2 * self.mlp(rgb)
        if not self.last:
            depth = depth + self.layer_scale_1_e * e
            depth = depth + self.layer_scale_2_e * self.mlp_e2(depth)
        return rgb, depth


def stem(inputs, outputs):
    return nn.Sequential(nn.Conv2d(inputs, outputs // 2, 3, 2, 1), nn.BatchNorm2d(outputs // 2), nn.GELU(),
                         nn.Conv2d(outputs // 2, outputs, 3, 2, 1), nn.BatchNorm2d(outputs))


def downsampling(inputs, widths):
    steps = [nn.Sequential(nn.BatchNorm2d(a), nn.Conv2d(a, b, 3, 2, 1)) for a, b in zip(widths, widths[1:])]
    return nn.ModuleList([stem(inputs, widths[0])] + steps)


class Backbone(nn.Module):
    def __init__(self, dims, depths):
        super().__init__()
        self.downsample_layers = downsampling(3, dims)
        self.downsample_layers_e = downsampling(1, [dim // 2 for dim in dims])
        self.stages = nn.ModuleList(
            nn.Sequential(*(Block(dims[i], HEADS[i], WINDOWS[i], RATIOS[i], i == 3 and j == depths[i] - 1)
                            for j in range(depths[i]))) for i in range(4))

    def forward(self, rgb, depth):
        features = []
        for down, down_e, stage in zip(self.downsample_layers, self.downsample_layers_e, self.stages):
            x, e = channels_last(down(rgb)), channels_last(down_e(depth))
            for block in stage:
                x, e = block(x, e)
            rgb = channels_first(x)
            depth = None if e is None else channels_first(e)
            features.append(rgb)
        return features


class ConvNorm(nn.Module):
    def __init__(self, inputs, outputs):
        super().__init__()
        self.conv, self.bn = nn.Conv2d(inputs, outputs, 1, bias=False), nn.BatchNorm2d(outputs, eps=1e-3)

    def forward(self, x):
        return self.bn(self.conv(x))


class Hamburger(nn.Module):
    def __init__(self, channels, rank=64):
        super().__init__()
        self.ham_in = nn.ModuleDict({"conv": nn.Conv2d(channels, channels, 1)})
        self.ham_out = ConvNorm(channels, channels)
        self.rank = rank

    def forward(self, x):
        y = F.relu(self.ham_in["conv"](x))
        n, channels, height, width = y.shape
        v = y.flatten(2)  # [N, D, T]
        bases = F.normalize(torch.rand(n, channels, self.rank, dtype=v.dtype, device=v.device), dim=1)
        coefficients = F.softmax(v.transpose(1, 2) @ bases, dim=2)
        for _ in range(6 if self.training else 7):
            coefficients = coefficients * (v.transpose(1, 2) @ bases) / (
                coefficients @ (bases.transpose(1, 2) @ bases) + 1e-6)
            bases = bases * (v @ coefficients) / (bases @ (coefficients.transpose(1, 2) @ coefficients) + 1e-6)
        coefficients = coefficients * (v.transpose(1, 2) @ bases) / (
            coefficients @ (bases.transpose(1, 2) @ bases) + 1e-6)
        y = (bases @ coefficients.transpose(1, 2)).view(n, channels, height, width)
        return F.relu(x + self.ham_out(y))


class Head(nn.Module):
    def __init__(self, dims, classes, embed=512):
        super().__init__()
        self.squeeze, self.hamburger = ConvNorm(sum(dims[1:]), 512), Hamburger(512)
        self.align, self.conv_seg = ConvNorm(512, embed), nn.Conv2d(embed, classes, 1)

    def forward(self, features):
        size = features[1].shape[2:]
        maps = [features[1]] + [F.interpolate(f, size, mode="bilinear", align_corners=False) for f in features[2:]]
        x = self.hamburger(F.relu(self.squeeze(torch.cat(maps, 1))))
        return self.conv_seg(F.dropout2d(F.relu(self.align(x)), 0.1, self.training))


class DFormer(nn.Module):
    def __init__(self, name, classes=40):
        super().__init__()
        config = CONFIGS[name]
        self.backbone, self.decode_head = Backbone(**config), Head(config["dims"], classes)

    def forward(self, rgb, depth):
        return self.decode_head(self.backbone(rgb, depth))


def loss(network, rgb, depth, labels):
    logits = F.interpolate(network(rgb, depth), labels.shape[1:], mode="bilinear", align_corners=False)
    return F.cross_entropy(logits, labels, ignore_index=255)
