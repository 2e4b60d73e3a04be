"""Weights of vision transformers by timm's names, whatever software saved them.

The authors of most encoders publish timm's own names. Phikon-v2 and Hibou come from Hugging Face's
transformers (Dinov2Model), GPFM's release from the training code of DINOv2.
"""

import re
from collections.abc import Mapping

import torch

State = dict[str, torch.Tensor]

# Of transformers' Dinov2Model, part by part.
TRANSFORMERS = {
    r"^embeddings\.cls_token$": "cls_token",
    r"^embeddings\.mask_token$": "mask_token",
    r"^embeddings\.register_tokens$": "reg_token",
    r"^embeddings\.position_embeddings$": "pos_embed",
    r"^embeddings\.patch_embeddings\.projection\.": "patch_embed.proj.",
    r"^encoder\.layer\.": "blocks.",
    r"\.attention\.output\.dense\.": ".attn.proj.",
    r"\.layer_scale(\d)\.lambda1$": r".ls\1.gamma",
    r"\.mlp\.weights_in\.": ".mlp.fc1.",
    r"\.mlp\.weights_out\.": ".mlp.fc2.",
    r"^layernorm\.": "norm.",
}
# Of DINOv2's own code, whose blocks may be numbered within chunks too.
DINOV2 = {
    r"^register_tokens$": "reg_token",
    r"^blocks\.\d+\.(\d+)\.": r"blocks.\1.",
    r"\.mlp\.w12\.": ".mlp.fc1.",
    r"\.mlp\.w3\.": ".mlp.fc2.",
}
SEPARATE = re.compile(r"\.attention\.attention\.(query|key|value)\.(weight|bias)$")


def timm_names(state: State, expected: Mapping[str, torch.Tensor]) -> State:
    """Return weights by timm's names.

    Parameters
    ----------
    state
        Weights by timm's names, by those of transformers, or by those of DINOv2's code.
    expected
        The state dict of timm's network.
    """
    patterns = TRANSFORMERS if "embeddings.cls_token" in state else DINOV2
    named = {}
    for name, tensor in (_joined(state) if patterns is TRANSFORMERS else state).items():
        for pattern, replacement in patterns.items():
            name = re.sub(pattern, replacement, name)
        named[name] = tensor
    return _class_position_added(named, expected)


def _joined(state: State) -> State:
    """Query, key and value, which transformers keep apart, one above another."""
    joined, found = {}, {}
    for name, tensor in state.items():
        match = SEPARATE.search(name)
        if match:
            found.setdefault(f"{name[: match.start()]}.attn.qkv.{match[2]}", {})[match[1]] = tensor
        else:
            joined[name] = tensor
    for name, parts in found.items():
        # What is missing is named by the comparison with the network.
        joined[name] = torch.cat([parts[part] for part in ("query", "key", "value") if part in parts])
    return joined


def _class_position_added(state: State, expected: Mapping[str, torch.Tensor]) -> State:
    """The class token with its position added, where timm's network has positions for patches alone."""
    positions, token = state.get("pos_embed"), state.get("cls_token")
    wanted = expected.get("pos_embed")
    if positions is None or token is None or wanted is None or positions.dim() != 3:
        return state
    if positions.shape[1] != wanted.shape[1] + 1 or positions.shape[2] != token.shape[-1]:
        return state
    return state | {"cls_token": token + positions[:, :1], "pos_embed": positions[:, 1:]}
