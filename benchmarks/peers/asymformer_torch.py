"""AsymFormer in PyTorch, to be measured against: written from the paper and for speed, with PyTorch's own fused attention.
Features stay channels-last ([N, H, W, C]). Parameters have the official names, so a checkpoint of either side fits both. In
training it leaves out channels of the decoder, but no blocks and no attention weights, as ours does in the benchmarks."""
import torch
from torch import nn
from torch.nn import functional as F

from dformer_torch import channels_first, channels_last, depthwise
from dformer_v2_torch import Depthwise

CONFIGS = {
    "AsymFormer": dict(rgb_dims=(96, 192, 384, 768), rgb_depths=(3, 3, 9, 3), depth_dims=(32, 64, 160, 256),
                       depth_depths=(2, 2, 2, 2)),
}
HEADS, REDUCTIONS, MLP_RATIO = (1, 2, 5, 8), (8, 4, 2, 1), 4


def convolved(convolution, x):
    return channels_last(convolution(channels_first(x)))


class ConvNeXtBlock(nn.Module):
    def __init__(self, dim):
        super().__init__()
        self.gamma = nn.Parameter(torch.full((dim,), 1e-6))
        self.dwconv, self.norm = depthwise(dim, 7), nn.LayerNorm(dim, eps=1e-6)
        self.pwconv1, self.pwconv2 = nn.Linear(dim, 4 * dim), nn.Linear(4 * dim, dim)

    def forward(self, x):
        y = self.norm(convolved(self.dwconv, x))
        return torch.addcmul(x, self.gamma, self.pwconv2(F.gelu(self.pwconv1(y))))


class Stem(nn.Sequential):
    def __init__(self, outputs):
        super().__init__(nn.Conv2d(3, outputs, 4, 4), nn.LayerNorm(outputs, eps=1e-6))

    def forward(self, x):
        return self[1](convolved(self[0], x))


class Downsampling(nn.Sequential):
    def __init__(self, inputs, outputs):
        super().__init__(nn.LayerNorm(inputs, eps=1e-6), nn.Conv2d(inputs, outputs, 2, 2))

    def forward(self, x):
        return convolved(self[1], self[0](x))


class PatchEmbed(nn.Module):
    def __init__(self, inputs, outputs, kernel, stride):
        super().__init__()
        self.proj, self.norm = nn.Conv2d(inputs, outputs, kernel, stride, kernel // 2), nn.LayerNorm(outputs)

    def forward(self, x):
        return self.norm(convolved(self.proj, x))


class Attention(nn.Module):
    def __init__(self, dim, heads, reduction):
        super().__init__()
        self.heads, self.reduction = heads, reduction
        self.q, self.kv, self.proj = nn.Linear(dim, dim), nn.Linear(dim, 2 * dim), nn.Linear(dim, dim)
        if reduction > 1:
            self.sr, self.norm = nn.Conv2d(dim, dim, reduction, reduction), nn.LayerNorm(dim)

    def forward(self, x):
        reduced = self.norm(convolved(self.sr, x)) if self.reduction > 1 else x
        split = lambda t: t.flatten(1, 2).unflatten(2, (self.heads, -1)).transpose(1, 2)
        keys, values = self.kv(reduced).chunk(2, 3)
        y = F.scaled_dot_product_attention(split(self.q(x)), split(keys), split(values))
        return self.proj(y.transpose(1, 2).reshape(x.shape))


class Mlp(nn.Module):
    def __init__(self, dim, hidden):
        super().__init__()
        self.fc1, self.dwconv, self.fc2 = nn.Linear(dim, hidden), Depthwise(hidden, 3), nn.Linear(hidden, dim)

    def forward(self, x):
        return self.fc2(F.gelu(self.dwconv(self.fc1(x))))


class MixTransformerBlock(nn.Module):
    def __init__(self, dim, heads, reduction):
        super().__init__()
        self.norm1, self.attn = nn.LayerNorm(dim, eps=1e-6), Attention(dim, heads, reduction)
        self.norm2, self.mlp = nn.LayerNorm(dim, eps=1e-6), Mlp(dim, MLP_RATIO * dim)

    def forward(self, x):
        x = x + self.attn(self.norm1(x))
        return x + self.mlp(self.norm2(x))


def bottleneck(dim, hidden):
    return nn.Sequential(nn.Linear(dim, hidden, bias=False), nn.ReLU(), nn.Linear(hidden, dim, bias=False))


class FeatureSelection(nn.Module):
    def __init__(self, dim):
        super().__init__()
        self.fc_spatial, self.fc_channel = bottleneck(dim, dim // 16), bottleneck(dim, dim // 8)

    def forward(self, x):
        mean, dim = x.mean((1, 2)), x.shape[3]
        # Divided by dim twice rather than once by its square, for float16's sake.
        scores = (x.flatten(1, 2) @ (self.fc_spatial(mean) / dim).unsqueeze(2) / dim).view(*x.shape[:3], 1)
        return x * scores.sigmoid() * self.fc_channel(mean).sigmoid()[:, None, None]


class CrossModalAttention(nn.Module):
    def __init__(self, depth_dim, rgb_dim, dropout):
        super().__init__()
        self.key_dim, self.value_dim, self.dropout = rgb_dim // 4, depth_dim // 4, dropout
        self.bn_x1, self.bn_x2 = nn.BatchNorm2d(depth_dim), nn.BatchNorm2d(rgb_dim)
        self.kq1, self.kq2 = nn.Linear(depth_dim, 2 * self.key_dim), nn.Linear(rgb_dim, 2 * self.key_dim)
        self.v_conv = nn.Linear(depth_dim, 2 * self.value_dim)
        self.out_conv, self.bn_last = nn.Linear(2 * self.value_dim, depth_dim), nn.BatchNorm2d(depth_dim)

    def forward(self, depth, rgb, selected):
        # Officially the channels of both are interleaved before they are cut into the heads' keys and queries; their product
        # does not know the order of channels, so here each key and query is depth's half, then colour's.
        cut = lambda t: t.flatten(1, 2).unflatten(2, (4, -1))
        both = torch.cat((cut(self.kq1(convolved(self.bn_x1, depth))), cut(self.kq2(convolved(self.bn_x2, rgb)))), 3)
        keys, queries = both[:, :, 0::2].transpose(1, 2), both[:, :, 1::2].transpose(1, 2)  # [N, 2, T, key_dim]
        values = self.v_conv(selected).flatten(1, 2).unflatten(2, (2, self.value_dim)).transpose(1, 2)
        # PyTorch's flash attention takes values as wide as the keys only; a runtime that this is exported to takes them narrow.
        if not torch.compiler.is_exporting():
            values = F.pad(values, (0, self.key_dim - self.value_dim))
        y = F.scaled_dot_product_attention(queries, keys, values, dropout_p=self.dropout if self.training else 0.0)
        y = self.out_conv(y[..., :self.value_dim].transpose(1, 2).reshape(*selected.shape[:3], 2 * self.value_dim))
        return selected + convolved(self.bn_last, y)


class CrossModalFusion(nn.Module):
    def __init__(self, depth_dim, rgb_dim, dropout):
        super().__init__()
        self.fus_atten = FeatureSelection(depth_dim + rgb_dim)
        self.conv_bn = nn.Sequential(nn.Conv2d(depth_dim + rgb_dim, depth_dim, 1, bias=False), nn.BatchNorm2d(depth_dim))
        self.cross_atten = CrossModalAttention(depth_dim, rgb_dim, dropout)

    def forward(self, depth, rgb):
        selected = convolved(self.conv_bn, self.fus_atten(torch.cat((depth, rgb), 3)))
        return self.cross_atten(depth, rgb, selected)


class Stage(nn.Module):
    def __init__(self, config, i, dropout):
        super().__init__()
        rgb_dims, depth_dims = config["rgb_dims"], config["depth_dims"]
        self.depth_stem = PatchEmbed(depth_dims[i - 1], depth_dims[i], 3, 2) if i else PatchEmbed(1, depth_dims[0], 7, 4)
        self.rgb_stem = Downsampling(rgb_dims[i - 1], rgb_dims[i]) if i else Stem(rgb_dims[0])
        self.rgb_layer = nn.Sequential(*(ConvNeXtBlock(rgb_dims[i]) for _ in range(config["rgb_depths"][i])))
        self.depth_layer = nn.Sequential(*(MixTransformerBlock(depth_dims[i], HEADS[i], REDUCTIONS[i])
                                           for _ in range(config["depth_depths"][i])))
        self.depth_norm = nn.LayerNorm(depth_dims[i], eps=1e-6)
        self.SCC = CrossModalFusion(depth_dims[i], rgb_dims[i], dropout) if i else None

    def forward(self, rgb, depth):
        rgb = self.rgb_layer(self.rgb_stem(rgb))
        depth = self.depth_norm(self.depth_layer(self.depth_stem(depth)))
        return rgb, self.SCC(depth, rgb) if self.SCC is not None else depth


class Head(nn.Module):
    def __init__(self, dims, classes, embed=256):
        super().__init__()
        projection = lambda dim: nn.ModuleDict({"proj": nn.Conv2d(dim, embed, 1)})
        self.linear_c4, self.linear_c3, self.linear_c2, self.linear_c1 = (projection(dim) for dim in reversed(dims))
        self.linear_fuse = nn.Sequential(nn.Conv2d(4 * embed, embed, 1), nn.BatchNorm2d(embed), nn.ReLU())
        self.linear_pred = nn.Conv2d(embed, classes, 1)

    def forward(self, features):
        c1, c2, c3, c4 = features
        resized = lambda x: F.interpolate(x, c1.shape[2:], mode="bilinear", align_corners=False)
        maps = (resized(self.linear_c4["proj"](c4)), resized(self.linear_c3["proj"](c3)), resized(self.linear_c2["proj"](c2)),
                self.linear_c1["proj"](c1))
        return self.linear_pred(F.dropout2d(self.linear_fuse(torch.cat(maps, 1)), 0.1, self.training))


class AsymFormer(nn.Module):
    """attention_dropout: of the cross-modal attention; the official training has 0.2, ours none."""

    def __init__(self, name, classes=40, attention_dropout=0.0):
        super().__init__()
        config = CONFIGS[name]
        for i in range(4):
            setattr(self, f"down_sample_{i + 1}", Stage(config, i, attention_dropout))
        self.Decoder = Head(config["depth_dims"], classes)

    def forward(self, rgb, depth):
        rgb, depth, features = channels_last(rgb), channels_last(depth), []
        for stage in (self.down_sample_1, self.down_sample_2, self.down_sample_3, self.down_sample_4):
            rgb, depth = stage(rgb, depth)
            features.append(channels_first(depth))
        return self.Decoder(features)
