"""Vision transformers: every registered one is as published, and small ones compute what timm's do."""

import re
import weakref
from collections.abc import Callable
from dataclasses import replace

import pytest
import torch
from safetensors.torch import save_file
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils._pytree import tree_leaves

from ressat.base.errors import InputError
from ressat.encoders.encoder import CLASS_TOKEN, PATCH_MEAN, RANDOM, Architecture, Encoder
from ressat.encoders.families.vit import TokenViT, blank_network, load_network, make_network
from ressat.encoders.network import build_network
from ressat.encoders.registry import ENCODERS
from ressat.encoders.untrained import is_untrained

REGISTERED = [name for name in ENCODERS.names if ENCODERS.load(name).family == "vit"]
# As published, by the authors or in LazySlide's registry of models, and their widths. Kaiko publishes no
# numbers: these are those of the sizes that they name (ViT-S, B and L).
PUBLISHED = {
    "uni": ("303.4M", 1024),
    "uni2_h": ("681.4M", 1536),
    "virchow": ("631.2M", 1280),
    "virchow2": ("631.2M", 1280),
    "h_optimus_0": ("1.13B", 1536),
    "h_optimus_1": ("1.13B", 1536),
    "h0_mini": ("85.7M", 768),
    "prov_gigapath": ("1.13B", 1536),
    "phikon_v2": ("303.4M", 1024),
    "hibou_b": ("85.7M", 768),
    "hibou_l": ("303.7M", 1024),
    "kaiko_s16": ("22M", 384),
    "kaiko_s8": ("22M", 384),
    "kaiko_b16": ("86M", 768),
    "kaiko_b8": ("86M", 768),
    "kaiko_l14": ("304M", 1024),
    "lunit_s8": ("21.7M", 384),
    "gpfm": ("303M", 1024),
}
# A small one of every kind: what the attention reads, and the kind of its multilayer perceptron.
SMALL = {"img_size": 32, "patch_size": 8, "embed_dim": 48, "depth": 2, "num_heads": 3, "init_values": 1e-1}
SWIGLU = {"mlp_ratio": 5.33334, "mlp_layer": "SwiGLUPacked", "act_layer": "SiLU"}
KINDS = {
    "plain": Architecture("vit_small_patch8_224", SMALL),
    "swiglu": Architecture("vit_huge_patch14_224", SMALL | SWIGLU | {"reg_tokens": 4}),
    "registers": Architecture("vit_base_patch14_reg4_dinov2", SMALL | SWIGLU),
}
SEPARATE = ("query", "key", "value")


def small(kind: str) -> Encoder:
    """A small encoder of a kind."""
    layers = {CLASS_TOKEN: 48, PATCH_MEAN: 48}
    names = {"name": "small", "title": "Small"}
    return replace(ENCODERS.load("virchow2"), **names, layers=layers, px=32, architecture=KINDS[kind])


def trained(kind: str) -> torch.nn.Module:
    """A small network whose numbers are all of their own, as after a training."""
    with torch.random.fork_rng():
        torch.manual_seed(3)
        network = make_network(KINDS[kind])
        for parameter in network.parameters():
            torch.nn.init.normal_(parameter, std=0.1)
    return network.eval()


@pytest.fixture(scope="module")
def tiles() -> torch.Tensor:
    return torch.randint(0, 256, (5, 3, 32, 32), generator=torch.Generator().manual_seed(0)).float()


@pytest.fixture
def saved(tmp_path) -> Callable[..., str]:
    def save(state: dict[str, torch.Tensor], name: str = "model.safetensors") -> str:
        state = {key: tensor.clone().contiguous() for key, tensor in state.items()}
        (save_file if name.endswith("safetensors") else torch.save)(state, tmp_path / name)
        return str(tmp_path / name)

    return save


def test_every_registered_transformer_has_its_published_figures_here():
    assert list(PUBLISHED) == REGISTERED


@pytest.mark.parametrize("name", REGISTERED)
def test_a_registered_network_is_as_large_and_as_wide_as_published(name):
    encoder = ENCODERS.load(name)
    published, width = PUBLISHED[name]
    network = blank_network(encoder)
    number = sum(parameter.numel() for parameter in network.parameters())
    figure, unit = float(published[:-1]), {"M": 1e6, "B": 1e9}[published[-1]]
    assert round(number / unit, len(published.partition(".")[2][:-1])) == figure
    assert number == encoder.parameters
    assert encoder.layers == {CLASS_TOKEN: width, PATCH_MEAN: width}
    assert all(parameter.is_meta for parameter in network.parameters())
    assert all(block.attn.fused_attn for block in network.blocks), "scaled_dot_product_attention"


@pytest.mark.parametrize("name", REGISTERED)
def test_a_registered_network_gives_tokens_of_its_width(name):
    encoder = ENCODERS.load(name)
    network = blank_network(encoder)
    # Positions cannot be resampled without numbers.
    px = encoder.architecture.arguments["img_size"]
    tokens = network.forward_features(torch.empty(1, 3, px, px, device="meta"))
    patch = network.patch_embed.patch_size[0]
    registers = int((re.findall(r"(\d) registers", encoder.words) or ["0"])[0])
    assert network.num_prefix_tokens == 1 + registers
    assert tokens.shape == (1, 1 + registers + (px // patch) ** 2, encoder.layers[CLASS_TOKEN])
    assert encoder.px % patch == 0


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("file", ["model.safetensors", "pytorch_model.bin"])
def test_a_file_gives_the_tokens_of_timms_network(saved, tiles, kind, file):
    network = trained(kind)
    encoder = small(kind)
    built, name, digest = build_network(encoder, saved(network.state_dict(), file), 0)
    x = (tiles / 255 - torch.tensor(encoder.mean).view(3, 1, 1)) / torch.tensor(encoder.sd).view(3, 1, 1)
    with torch.inference_mode():
        tokens = network.forward_features(x)
        outputs = built(tiles)
    registers = 0 if kind == "plain" else 4
    torch.testing.assert_close(outputs[CLASS_TOKEN], tokens[:, 0], rtol=1e-4, atol=1e-4)
    patches = tokens[:, 1 + registers :].mean(dim=1)
    torch.testing.assert_close(outputs[PATCH_MEAN], patches, rtol=1e-4, atol=1e-4)
    assert (name, len(digest)) == ("small", 64)
    assert not built.training
    assert not any(parameter.requires_grad for parameter in built.parameters())


@pytest.mark.parametrize("kind", KINDS)
def test_tokens_in_bf16_are_those_of_fp32_but_for_rounding(saved, tiles, kind):
    path = saved(trained(kind).state_dict())
    with torch.inference_mode():
        full = build_network(small(kind), path, 0)[0](tiles)
        half = build_network(small(kind), path, 0, torch.bfloat16)[0](tiles)
    for name, values in half.items():
        assert values.dtype == torch.float32
        assert torch.cosine_similarity(values, full[name]).min() > 0.999
        assert not torch.equal(values, full[name])


@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16])
def test_tokens_do_not_depend_on_the_batch(tiles, dtype):
    network = TokenViT(small("registers"), trained("registers"), dtype)
    with torch.inference_mode():
        together = network(tiles)
        parts = [network(part) for part in tiles.split(2)]
    for name, values in together.items():
        assert torch.equal(torch.cat([part[name] for part in parts]), values)


def test_tiles_of_another_size_are_resampled(tiles):
    network = TokenViT(small("plain"), trained("plain"))
    large = tiles.repeat_interleave(4, dim=2).repeat_interleave(4, dim=3)
    with torch.inference_mode():
        same, resampled = network(tiles), network(large)
    assert torch.cosine_similarity(same[CLASS_TOKEN], resampled[CLASS_TOKEN]).min() > 0.9


def test_positions_of_a_larger_image_are_resampled_as_timm_does(saved, tiles):
    architecture = Architecture("vit_base_patch14_reg4_dinov2", SMALL | SWIGLU | {"img_size": 72})
    with torch.random.fork_rng():
        torch.manual_seed(1)
        network = make_network(
            replace(architecture, arguments=architecture.arguments | {"dynamic_img_size": True})
        ).eval()
    encoder = replace(small("registers"), architecture=architecture)
    built = build_network(encoder, saved(network.state_dict()), 0)[0]
    with torch.inference_mode():
        tokens = network.forward_features(built.pixels(tiles))
        outputs = built(tiles)
    torch.testing.assert_close(outputs[CLASS_TOKEN], tokens[:, 0], rtol=1e-4, atol=1e-4)


def with_class_position(state: dict[str, torch.Tensor]) -> dict[str, torch.Tensor]:
    """What another software would have saved: the class token apart from its position."""
    place = torch.full_like(state["cls_token"], 0.25)
    return state | {
        "cls_token": state["cls_token"] - place,
        "pos_embed": torch.cat([place, state["pos_embed"]], dim=1),
    }


def of_transformers(state: dict[str, torch.Tensor]) -> dict[str, torch.Tensor]:
    """The names that Dinov2Model of Hugging Face's transformers gives."""
    found = {"embeddings.mask_token": torch.zeros(1, 48)}
    ends = {"norm1": "norm1", "norm2": "norm2", "attn.proj": "attention.output.dense"}
    ends |= {"mlp.fc1": "mlp.weights_in", "mlp.fc2": "mlp.weights_out"}
    whole = {
        "cls_token": "embeddings.cls_token",
        "reg_token": "embeddings.register_tokens",
        "pos_embed": "embeddings.position_embeddings",
        "patch_embed.proj.weight": "embeddings.patch_embeddings.projection.weight",
        "patch_embed.proj.bias": "embeddings.patch_embeddings.projection.bias",
        "norm.weight": "layernorm.weight",
        "norm.bias": "layernorm.bias",
    }
    for name, tensor in with_class_position(state).items():
        if name in whole:
            found[whole[name]] = tensor
            continue
        _, number, rest = name.split(".", 2)
        part, _, kind = rest.rpartition(".")
        block = f"encoder.layer.{number}"
        if part == "attn.qkv":
            for one, piece in zip(SEPARATE, tensor.chunk(3), strict=True):
                found[f"{block}.attention.attention.{one}.{kind}"] = piece
        elif kind == "gamma":
            found[f"{block}.layer_scale{part[-1]}.lambda1"] = tensor
        else:
            found[f"{block}.{ends[part]}.{kind}"] = tensor
    return found


def of_dinov2(state: dict[str, torch.Tensor]) -> dict[str, torch.Tensor]:
    """The names of DINOv2's own code, in chunks of blocks, below those of a training."""
    found = {"dino_head.mlp.weight": torch.zeros(3)}
    for name, tensor in with_class_position(state).items():
        name = re.sub(r"^blocks\.(\d+)\.", r"blocks.0.\1.", name).replace("reg_token", "register_tokens")
        name = name.replace("mlp.fc1", "mlp.w12").replace("mlp.fc2", "mlp.w3")
        found[f"backbone.{name}"] = tensor
    return found | {"backbone.mask_token": torch.zeros(1, 48)}


@pytest.mark.parametrize("renamed", [of_transformers, of_dinov2])
def test_weights_by_the_names_of_other_software_are_the_same_network(saved, tiles, renamed):
    network = trained("registers")
    own = saved(network.state_dict(), "own.safetensors")
    other = saved(renamed(network.state_dict()), "other.safetensors")
    encoder = small("registers")
    with torch.inference_mode():
        first, second = (build_network(encoder, path, 0)[0](tiles) for path in (own, other))
    for name, values in first.items():
        torch.testing.assert_close(second[name], values, rtol=1e-5, atol=1e-5)


def test_a_teacher_in_a_checkpoint_is_the_network(tmp_path, tiles):
    network = trained("registers")
    torch.save({"teacher": of_dinov2(network.state_dict()), "iteration": 7}, tmp_path / "GPFM.pth")
    loaded = load_network(small("registers"), tmp_path / "GPFM.pth").state_dict()
    for name, tensor in network.state_dict().items():
        torch.testing.assert_close(loaded[name], tensor)


def without(name: str) -> Callable[[dict], dict]:
    return lambda state: {key: value for key, value in state.items() if key != name}


def with_tensor(name: str, *shape: int, value: float = 0.0) -> Callable[[dict], dict]:
    return lambda state: state | {name: torch.full(shape, value)}


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (without("blocks.1.norm2.bias"), "1 in all: blocks.1.norm2.bias is missing"),
        (with_tensor("reg_token", 1, 8, 48), "reg_token is (1, 8, 48), not (1, 4, 48)"),
        (with_tensor("pos_embed", 1, 9, 48), "pos_embed is (1, 9, 48), not (1, 16, 48)"),
        (with_tensor("blocks.2.norm1.bias", 48), "blocks.2.norm1.bias is unknown"),
        (with_tensor("norm.bias", 48, value=torch.nan), "norm.bias has 48 numbers of 48 that are not finite"),
    ],
)
def test_weights_of_another_network_are_refused_with_the_first_differences(saved, change, said):
    path = saved(change(trained("registers").state_dict()))
    with pytest.raises(InputError) as caught:
        load_network(small("registers"), path)
    message = str(caught.value)
    assert message.startswith(f"{path}: ")
    assert said in message
    assert message.count("; ") == 2


@pytest.mark.parametrize("kind", ["plain", "swiglu"])
def test_weights_of_another_kind_are_refused(saved, kind):
    path = saved(trained(kind).state_dict())
    with pytest.raises(InputError, match=r"differences from a network of Small, \d+ in all: "):
        load_network(small("registers"), path)


def test_random_weights_follow_their_seed_and_are_named_as_such(tiles):
    state = torch.get_rng_state()
    _, name, digest = build_network(small("plain"), None, 1)
    assert torch.equal(torch.get_rng_state(), state)
    assert name == f"small {RANDOM}"
    assert is_untrained([name])
    assert build_network(small("plain"), None, 1)[2] == digest
    assert build_network(small("plain"), None, 2)[2] != digest


def test_own_pixels_are_part_of_what_features_are_of(saved, tiles):
    path = saved(trained("plain").state_dict())
    encoder = small("plain")
    digest = build_network(encoder, path, 0)[2]
    changed = encoder.with_pixels((0.7, 0.5, 0.6), None)
    network, _, other = build_network(changed, path, 0)
    assert encoder.with_pixels(None, None) is encoder
    assert (changed.mean, changed.sd) == ((0.7, 0.5, 0.6), encoder.sd)
    assert other != digest
    with torch.inference_mode():
        before = build_network(encoder, path, 0)[0](tiles)
        assert not torch.equal(network(tiles)[CLASS_TOKEN], before[CLASS_TOKEN])


@pytest.mark.parametrize("name", REGISTERED)
def test_the_tokens_of_an_encoder_are_those_of_its_network(name):
    encoder = ENCODERS.load(name)
    network = blank_network(encoder)
    patch_px, _ = network.patch_embed.patch_size
    assert encoder.tokens == (encoder.px // patch_px) ** 2 + network.num_prefix_tokens


class Held(TorchDispatchMode):
    """Counts the bytes of the tensors that are held at a time."""

    def __init__(self):
        super().__init__()
        self.sizes, self.most = {}, 0

    def __torch_dispatch__(self, function, types, args=(), kwargs=None):
        result = function(*args, **(kwargs or {}))
        given = {id(storage) for storage in storages((args, kwargs))}
        for storage in storages(result):
            if id(storage) not in given and id(storage) not in self.sizes:
                self.sizes[id(storage)] = storage.nbytes()
                weakref.finalize(storage, self.sizes.pop, id(storage))
        self.most = max(self.most, sum(self.sizes.values()))
        return result


def storages(values: object) -> list[torch.UntypedStorage]:
    return [one.untyped_storage() for one in tree_leaves(values) if isinstance(one, torch.Tensor)]


@pytest.mark.parametrize("name", ["kaiko_s16", "kaiko_s8", "h0_mini"])
def test_an_encoder_holds_no_more_numbers_for_a_tile_than_it_says(name):
    encoder, tiles = ENCODERS.load(name), torch.zeros(2, 3, 224, 224)
    # Blocks hold what they need one after another: a single one is enough.
    blocks = Architecture(encoder.architecture.name, encoder.architecture.arguments | {"depth": 1})
    network, *_ = build_network(replace(encoder, architecture=blocks), None, 1, torch.bfloat16)
    with torch.inference_mode(), Held() as held:
        network(tiles)
    assert 0.7 < held.most / (len(tiles) * encoder.activations * network.pixels.dtype.itemsize) < 1


def test_what_an_encoder_without_tokens_holds_is_not_known():
    encoder = ENCODERS.load("resnet50")
    assert (encoder.tokens, encoder.activations) == (0, 0)
